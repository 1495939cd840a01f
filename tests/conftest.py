"""For all tests: the fake vendors, and a guard that lets no socket off loopback."""

pytest_plugins = ["tests.support.vendors.fixture"]
