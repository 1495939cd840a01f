"""The file that tells shells and tests where the servers are: one KEY=VALUE a line, nothing that needs quoting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_KEY = re.compile(r"[A-Z][A-Z0-9_]*")
_VALUE = re.compile(r"[A-Za-z0-9_:/.@%+,=-]*")


def write_environment(path: Path, values: Mapping[str, str]) -> None:
    """Replace the file as a whole; ValueError for a line that a shell would read as something else."""
    for key, value in values.items():
        if not _KEY.fullmatch(key) or not _VALUE.fullmatch(value):
            raise ValueError(f"{key!r} with value {value!r} cannot stand in an environment file unquoted")
    draft = path.with_name(path.name + ".new")
    draft.write_text("".join(f"{key}={value}\n" for key, value in sorted(values.items())), encoding="utf-8")
    draft.replace(path)


def read_environment(path: Path) -> dict[str, str]:
    """The file's variables; empty where there is no file. ValueError for a line without `=`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    values: dict[str, str] = {}
    for line in lines:
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals:
            raise ValueError(f"{path.name} has a line without '=': {line!r}")
        values[key] = value
    return values
