"""Fake model vendors on loopback that the real SDKs talk to, scripted answer by answer.

    with FakeVendors() as vendors:
        vendors.script("gemini", Behaviour(error=ErrorKind.UNAVAILABLE), Behaviour(ending=Ending.CUT, after_chunks=5))
        vendors.default("anthropic", Behaviour(echo=True, gap_s=0.05))
        ...
        assert vendors.count("gemini") == 2

Another process scripts over HTTP: POST /_script with the fields of `ScriptOrder`, GET /_requests, POST /_reset.
`python -m tests.support.vendors --port N` runs them as a process. The pytest fixture is in `fixture.py`.
"""

from tests.support.vendors.application import ScriptOrder
from tests.support.vendors.behaviour import Behaviour, Ending, ErrorKind, Finish, Operation, Vendor
from tests.support.vendors.script import Received
from tests.support.vendors.server import FakeVendors, unused_url

__all__ = [
    "Behaviour",
    "Ending",
    "ErrorKind",
    "FakeVendors",
    "Finish",
    "Operation",
    "Received",
    "ScriptOrder",
    "Vendor",
    "unused_url",
]
