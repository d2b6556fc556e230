"""Writes each output line of every function to one file, as soon as it is printed.

MiniStack reads the stdout and stderr of a function continuously from one pipe. It adds the lines to
CloudWatch Logs only after the invocation, and drops the lines of a process that exits during
initialization. This module intercepts the lines when MiniStack reads them, so the file also has the last
lines of a process that crashes.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, BinaryIO

from .patches import replace


class FunctionsLog:
    """Appends one JSON object per output line to `path`: `{"function": <name>, "line": <text>}`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Each entry is one unbuffered write, so that a reader never sees a partial entry.
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def write(self, function: str, raw: bytes) -> None:
        """Appends one output line of `function`. Replaces bytes that are not valid UTF-8."""
        text = raw.decode("utf-8", errors="replace").rstrip("\r\n")
        entry = json.dumps({"function": function, "line": text}, ensure_ascii=False) + "\n"
        with self._lock:
            self._file.write(entry.encode())

    def attach(self) -> None:
        """Intercepts the output of all functions that MiniStack starts from now on."""
        from ministack.core.lambda_runtime import ProvidedWorker

        def with_log(pump: Any) -> Any:
            def _pump_output(worker: Any, stream: BinaryIO, *args: Any) -> None:
                pump(worker, _LoggedStream(stream, worker.func_name, self), *args)

            return _pump_output

        replace(ProvidedWorker, "_pump_output", with_log)


class _LoggedStream:
    """Wraps a function's output stream. Has the two methods that MiniStack's reader calls."""

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
