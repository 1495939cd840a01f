"""Look for credentials in everything that git would commit. Part of `make check`; exits 1 with the places it found.

It knows the shapes of the keys that Maya handles. Samples in the repository carry the word "fake" or "example" where
the secret would stand, or are too short to be one.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SHAPES = {
    "Google key": r"AIza[0-9A-Za-z_-]{35}",
    "Anthropic key": r"sk-ant-[A-Za-z0-9_-]{20,}",
    "generic sk- key": r"\bsk-[A-Za-z0-9]{32,}",
    "Cohere or Pinecone key": r"(?i)(?:cohere|pinecone)[a-z_]*key[\"'\s:=]+[A-Za-z0-9-]{36,}",
    "database URL with a password": r"(?:mongodb(?:\+srv)?|neo4j(?:\+s)?|bolt|rediss?|smtps?)://[^\s:/@\"'{}$]+:[^\s@\"'{}$]{6,}@",
    "private key": r"^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----\s*$|PRIVATE KEY-----(?:\\n|\s)*[A-Za-z0-9+/=]{40,}",
    "JSON Web Token": r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}",
    "mail password": r"(?i)MAIL_PASSWORD\s*=\s*(?!\s*$)[^\s#]{8,}",
}
_PATTERNS = {name: re.compile(shape) for name, shape in SHAPES.items()}
_SAMPLE = re.compile(r"(?i)fake|example|sample|canary|your-|geheim")
_LARGEST_BYTES = 2 * 1024 * 1024


def findings(text: str) -> list[tuple[int, str]]:
    """Line numbers with the kind of secret that seems to stand there; samples marked as such are passed over."""
    return [
        (number, name)
        for number, line in enumerate(text.splitlines(), start=1)
        for name, pattern in _PATTERNS.items()
        for match in [pattern.search(line)]
        if match and not _SAMPLE.search(match.group())
    ]


def main() -> int:
    """Scan the tracked and the new files; 0 when nothing was found."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    places = []
    for name in filter(None, listed.decode().split("\0")):
        path = ROOT / name
        if not path.is_file() or path.stat().st_size > _LARGEST_BYTES:
            continue
        places += [f"{name}:{line}: {kind}" for line, kind in findings(path.read_text("utf-8", "replace"))]
    if places:
        sys.stderr.write("These look like secrets:\n" + "\n".join(places) + "\n")
    return 1 if places else 0


if __name__ == "__main__":
    sys.exit(main())
