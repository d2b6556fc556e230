"""Ports of this machine, as the launchers take and check them."""

from __future__ import annotations

import argparse
import socket

HOST = "127.0.0.1"


def port(text: str) -> int:
    """The port that a command line's `text` names; argparse's own error when it names none."""
    number = int(text)
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return number


def is_taken(number: int) -> bool:
    """Whether something listens there, or has just done so on an address of its own."""
    with socket.socket() as probe:
        if probe.connect_ex((HOST, number)) == 0:
            return True
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except OSError:
            return True
    return False


def free() -> int:
    """A port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        number: int = probe.getsockname()[1]
        return number
