"""Where tests keep their files: in memory where there is room. A database on a disk waits for it at every change."""

import os
from pathlib import Path

_ROOM_BYTES = 4 * 1024**3


def folder_in_memory() -> Path | None:
    """A file system in memory that is large enough and lets programs run; None where there is none."""
    folder = Path("/dev/shm")
    try:
        state = os.statvfs(folder)
    except OSError:
        return None
    has_room = state.f_bavail * state.f_frsize >= _ROOM_BYTES
    return folder if has_room and not state.f_flag & os.ST_NOEXEC and os.access(folder, os.W_OK) else None
