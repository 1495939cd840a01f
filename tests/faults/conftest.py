"""The browser and the fake vendors, for the faults that are looked at through the page."""

from tests.e2e.conftest import browser

__all__ = ["browser"]
