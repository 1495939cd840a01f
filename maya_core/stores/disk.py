"""How much room is left on the disk of the embedded stores, and from where on that is too little."""

import shutil
from pathlib import Path

SCARCE_BELOW = 500 * 1024 * 1024
"""People are warned."""

FULL_BELOW = 100 * 1024 * 1024
"""Nothing new is begun: the rest is for ending what runs, for deleting, and for the databases' own work."""


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write where `folder` is or will be. Raises OSError."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free
