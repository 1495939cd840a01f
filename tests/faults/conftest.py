"""The browser and the fake vendors, for the faults that are looked at through the page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import running_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed after its module: the next one may have async tests."""
    with running_browser() as launched:
        yield launched
