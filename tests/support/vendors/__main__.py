"""`python -m tests.support.vendors --port N`: prints the port on line one and serves until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import threading

from tests.support.vendors.server import FakeVendors


def main() -> None:
    """Serve until interrupted; port 0 takes a free one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    with FakeVendors(port=parser.parse_args().port) as vendors:
        print(vendors.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
