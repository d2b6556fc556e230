"""What a function process prints: read at once, and to the last byte that it wrote before it answered."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from typing import IO

CHUNK = 65536


class Output:
    """Reads `stream` (stdout and stderr, one pipe) until it ends, and gives each line to `on_line` at once."""

    def __init__(self, stream: IO[bytes], on_line: Callable[[bytes], None]) -> None:
        self._stream = stream
        self._on_line = on_line
        self._lock = threading.Lock()
        self._unfinished = b""
        self._kept = b""
        self._ended = False
        os.set_blocking(stream.fileno(), False)
        threading.Thread(target=self._read_on, name="function-output", daemon=True).start()

    def take(self) -> bytes:
        """Everything printed since the last call, what the pipe still holds included."""
        self._read()
        with self._lock:
            taken, self._kept = self._kept, b""
        return taken

    def _read_on(self) -> None:
        # Not `select`, which knows only the first 1,024 files of a process.
        poll = select.poll()
        poll.register(self._stream, select.POLLIN)
        while not self._ended:
            poll.poll()
            self._read()
        self._stream.close()

    def _read(self) -> None:
        with self._lock:
            while not self._ended:
                try:
                    chunk = os.read(self._stream.fileno(), CHUNK)
                except BlockingIOError:
                    return
                self._kept += chunk
                *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
                if not chunk:
                    self._ended = True
                    lines = [self._unfinished] if self._unfinished else []
                for line in lines:
                    self._on_line(line)
