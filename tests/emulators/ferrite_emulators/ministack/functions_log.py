"""Writes every line that a function prints to one file, as it is printed.

MiniStack reads a function's stdout and stderr (one merged pipe) all the time, but shows the lines in
CloudWatch Logs only once an invocation has ended, and drops those of a process that dies while it
starts. This taps the reader itself, so the last words of a crash are there too.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, BinaryIO

from .patches import replace


class FunctionsLog:
    """Appends one JSON object a line to `path`: `{"function": its name, "line": what it printed}`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered and in one write each, so a reader never sees half a line of ours.
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def write(self, function: str, raw: bytes) -> None:
        """Writes one line of `function`; bytes that are not UTF-8 are replaced, not refused."""
        text = raw.decode("utf-8", errors="replace").rstrip("\r\n")
        entry = json.dumps({"function": function, "line": text}, ensure_ascii=False) + "\n"
        with self._lock:
            self._file.write(entry.encode())

    def attach(self) -> None:
        """Sees every line of every function started from now on."""
        from ministack.core.lambda_runtime import ProvidedWorker

        def tapped(pump: Any) -> Any:
            def _pump_output(worker: Any, stream: BinaryIO, *rest: Any) -> None:
                pump(worker, _Tap(stream, worker.func_name, self), *rest)

            return _pump_output

        replace(ProvidedWorker, "_pump_output", tapped)


class _Tap:
    """Stands in for a function's output stream: the two methods that MiniStack's reader calls."""

    def __init__(self, stream: BinaryIO, function: str, log: FunctionsLog) -> None:
        self._stream = stream
        self._function = function
        self._log = log

    def readline(self) -> bytes:
        raw = self._stream.readline()
        if raw:
            self._log.write(self._function, raw)
        return raw

    def close(self) -> None:
        self._stream.close()
