"""Makes LocalStack listen on 127.0.0.1 only.

LocalStack takes only the port from GATEWAY_LISTEN and listens on every IPv4 address of the host. Other hosts
on the network could then call it and use it to run code on this host.
Delete this patch when LocalStack listens only on the address in GATEWAY_LISTEN.
"""

from __future__ import annotations

from typing import Any

from ferrite_emulators import ports


def apply() -> None:
    """Binds each TCP endpoint to the loopback interface."""
    from localstack.utils.patch import patch
    from twisted.internet.endpoints import TCP4ServerEndpoint

    @patch(TCP4ServerEndpoint.__init__)
    def on_loopback(init: Any, endpoint: Any, reactor: Any, port: int) -> None:
        init(endpoint, reactor, port, interface=ports.HOST)
