"""Listens where GATEWAY_LISTEN says: on 127.0.0.1.

LocalStack takes the port from it and listens on every IPv4 address of the machine, so that the whole network
could call it, and through it run code here.
"""

from __future__ import annotations

from typing import Any

from ferrite_emulators import ports


def apply() -> None:
    """Gives each endpoint its interface."""
    from localstack.utils.patch import patch
    from twisted.internet.endpoints import TCP4ServerEndpoint

    @patch(TCP4ServerEndpoint.__init__)
    def on_loopback(init: Any, endpoint: Any, reactor: Any, port: int) -> None:
        init(endpoint, reactor, port, interface=ports.HOST)
