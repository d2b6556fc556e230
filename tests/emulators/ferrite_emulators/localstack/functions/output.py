"""Reads the output of a function process, up to the last byte written before the function responds."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from typing import IO

CHUNK = 65536


class Output:
    """Reads `stream` (stdout and stderr in one pipe) until it closes. Calls `on_line` for each line at once."""

    def __init__(self, stream: IO[bytes], on_line: Callable[[bytes], None]) -> None:
        self._stream = stream
        self._on_line = on_line
        self._lock = threading.Lock()
        self._partial_line = b""
        self._pending = b""
        self._closed = False
        os.set_blocking(stream.fileno(), False)
        thread = threading.Thread(
            target=self._read_until_closed, name="function-output", daemon=True
        )
        thread.start()

    def take(self) -> bytes:
        """Returns all output since the previous call, including bytes that are still in the pipe."""
        self._read()
        with self._lock:
            output = self._pending
            self._pending = b""
        return output

    def _read_until_closed(self) -> None:
        # `select` is limited to file descriptors below 1,024.
        poll = select.poll()
        poll.register(self._stream, select.POLLIN)
        while not self._closed:
            poll.poll()
            self._read()
        self._stream.close()

    def _read(self) -> None:
        with self._lock:
            while not self._closed:
                try:
                    chunk = os.read(self._stream.fileno(), CHUNK)
                except BlockingIOError:
                    return
                self._pending += chunk
                *lines, self._partial_line = (self._partial_line + chunk).split(b"\n")
                if not chunk:
                    self._closed = True
                    lines = [self._partial_line] if self._partial_line else []
                for line in lines:
                    self._on_line(line)
