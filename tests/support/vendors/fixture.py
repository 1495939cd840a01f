"""Pytest plugin: `vendors`, and the guard that keeps every test on loopback.

A conftest takes it in with `pytest_plugins = ["tests.support.vendors.fixture"]`.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.vendors.server import FakeVendors


@pytest.fixture(scope="session")
def vendor_server() -> Iterator[FakeVendors]:
    """One server for the whole session."""
    with FakeVendors() as vendors:
        yield vendors


@pytest.fixture
def vendors(vendor_server: FakeVendors) -> FakeVendors:
    """The fake vendors without any script or request left from another test."""
    vendor_server.reset()
    return vendor_server


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> None:
    """Make every connection that leaves this machine fail, whoever opens it."""
    sys.addaudithook(_refuse_other_machines)


def _refuse_other_machines(event: str, args: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not isinstance(args[1], tuple):
        return
    host = args[1][0]
    if not _is_loopback(host):
        raise PermissionError(f"a test tried to connect to {host!r}; tests stay on loopback")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
