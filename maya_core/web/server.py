"""What the server under the pages must be like before Maya, which asks nobody for a password, opens its door."""

import ipaddress

from maya_core.errors import ConfigurationError


def check(*, address: str | None, cors: bool, xsrf: bool) -> None:
    """Raise ConfigurationError, with the one sentence to show, for a server that others could reach or misuse.

    Args:
        address: what the server listens on; without one it would listen everywhere.
        cors, xsrf: Streamlit's own protections, as set.
    """
    if not _is_loopback(address or ""):
        raise ConfigurationError(
            f"server.address is {address or 'not set, which means every network'}, and without accounts Maya serves "
            "this machine alone; set --server.address=127.0.0.1, or start it in its own folder."
        )
    for name, on in (("server.enableCORS", cors), ("server.enableXsrfProtection", xsrf)):
        if not on:
            raise ConfigurationError(f"{name} is off, and other sites could use Maya then; set it to true.")


def _is_loopback(address: str) -> bool:
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
