"""Where other computers find this one."""

from __future__ import annotations

import ipaddress
import socket


def lan_address() -> str:
    """This computer's IPv4 address in its local network, "" where it has none. Nothing is sent.

    In a container it is the container's own.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("8.8.8.8", 9))  # chooses the way out; a datagram socket sends nothing by it
            found = str(probe.getsockname()[0])
        except OSError:
            return ""
    return "" if ipaddress.ip_address(found).is_loopback else found
