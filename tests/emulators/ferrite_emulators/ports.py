"""Parses, checks and finds local TCP ports for the launchers."""

from __future__ import annotations

import argparse
import socket

HOST = "127.0.0.1"


def port(text: str) -> int:
    """Parses a port number from the command line; raises argparse's error if it is out of range."""
    number = int(text)
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port number between 1 and 65535")
    return number


def is_in_use(number: int) -> bool:
    """Whether a process listens on the port of 127.0.0.1, or the port cannot be bound for another reason."""
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


def find_free() -> int:
    """Returns a port that no process is listening on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        number: int = probe.getsockname()[1]
        return number
