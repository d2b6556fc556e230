"""An execution environment: a process that runs a function's `bootstrap` for any number of invocations."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from .output import Output
from .runtime_api import (
    Event,
    Exited,
    InitFailed,
    Invocation,
    InvocationResponse,
    Ready,
    RuntimeApi,
)

INIT_SECONDS = 10.0
"""Time limit of the Init phase ("Understanding the Lambda execution environment lifecycle")."""


class InitError(Exception):
    """Initialization failed. `payload` is the error object that the caller receives."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload


class FunctionProcess:
    """Runs the `bootstrap` in `code` with only the variables in `environment`. Calls `on_line` for each output line.

    The process belongs to the emulator's process group, so it never outlives the emulator.
    """

    def __init__(
        self, code: Path, environment: Mapping[str, str], on_line: Callable[[bytes], None]
    ) -> None:
        self._api = RuntimeApi()
        try:
            self._process = subprocess.Popen(
                [str(code / "bootstrap")],
                cwd=code,
                env={**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            self._api.close()
            message = f"Couldn't find valid bootstrap(s): {error}"
            raise InitError(_error("Runtime.InvalidEntrypoint", message)) from error
        assert self._process.stdout is not None
        self.output = Output(self._process.stdout, on_line)
        threading.Thread(target=self._watch, name="function-watch", daemon=True).start()

    @property
    def is_running(self) -> bool:
        """Whether the process is running and can be invoked."""
        return self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Waits until the process requests its first invocation. Raises `InitError` if initialization fails."""
        match self._event(INIT_SECONDS):
            case Ready():
                return
            case InitFailed(body):
                payload = body
            case Exited(reason):
                payload = _error("Runtime.ExitError", f"Error: Runtime exited {reason}")
            case _:
                payload = _timed_out(INIT_SECONDS)
        self.end()
        raise InitError(payload)

    def invoke(self, invocation: Invocation, timeout_seconds: float) -> InvocationResponse:
        """Returns the function's response, or Lambda's error if the process exits or times out."""
        prefix = f"RequestId: {invocation.request_id} "
        deadline = time.monotonic() + timeout_seconds
        self._api.submit(invocation)
        while True:
            match self._event(deadline - time.monotonic()):
                case InvocationResponse() as response:
                    return response
                case Exited(reason):
                    message = f"{prefix}Error: Runtime exited {reason}"
                    return InvocationResponse(_error("Runtime.ExitError", message), is_error=True)
                case None:
                    self.end()
                    return InvocationResponse(_timed_out(timeout_seconds, prefix), is_error=True)
                case Ready() | InitFailed():
                    # The process has finished the previous invocation.
                    continue

    def end(self) -> None:
        """Kills the process, as Lambda does after a timeout. A pending `invoke` receives the exit event."""
        self._process.kill()
        self._process.wait()

    def _event(self, seconds: float) -> Event | None:
        try:
            return self._api.events.get(timeout=max(seconds, 0))
        except queue.Empty:
            return None

    def _watch(self) -> None:
        code = self._process.wait()
        if code < 0:
            reason = f"with error: signal: {signal.Signals(-code).name}"
        elif code > 0:
            reason = f"with error: exit status {code}"
        else:
            reason = "without providing a reason"
        self._api.events.put(Exited(reason))
        self._api.close()


def _timed_out(seconds: float, prefix: str = "") -> bytes:
    message = f"{prefix}Error: Task timed out after {seconds:.2f} seconds"
    return _error("Sandbox.Timedout", message)


def _error(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()
