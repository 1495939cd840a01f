"""Ids made by whoever creates a record, so that creating it again is the same record."""

import os
import time
import uuid

_VERSION_7 = 0x7000
_VARIANT = 0x8000_0000_0000_0000


def new_id() -> str:
    """A UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits. Ids sort by the time of their making."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    high = (milliseconds << 16) | _VERSION_7 | (random >> 68)
    low = _VARIANT | (random & 0x3FFF_FFFF_FFFF_FFFF)
    return str(uuid.UUID(int=(high << 64) | low))
