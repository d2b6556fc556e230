"""One execution environment: a process that runs a function's `bootstrap`, invocation after invocation."""

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
from .runtime_api import Answered, Ended, Event, InitFailed, Invocation, Ready, RuntimeApi

INIT_SECONDS = 10.0
"""How long a function may take to start ("Lambda execution environment lifecycle")."""


class InitError(Exception):
    """The function did not start; `payload` is what its caller is told."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload


class FunctionProcess:
    """The `bootstrap` in `code`, with `environment` and no other variables; each line goes to `on_line`.

    It is of the emulator's process group, and so ends with the emulator at the latest.
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
        """Whether it can be invoked; not after it has crashed or was ended."""
        return self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Returns when it has asked for its first invocation; `InitError` when it never will."""
        match self._event(INIT_SECONDS):
            case Ready():
                return
            case InitFailed(body):
                payload = body
            case Ended(how):
                payload = _error("Runtime.ExitError", f"Error: Runtime exited {how}")
            case _:
                payload = _timed_out(INIT_SECONDS)
        self.end()
        raise InitError(payload)

    def invoke(self, invocation: Invocation, timeout_seconds: float) -> Answered:
        """What the function answers, or what Lambda does for one that dies or takes too long."""
        prefix = f"RequestId: {invocation.request_id} "
        deadline = time.monotonic() + timeout_seconds
        self._api.hand_out(invocation)
        while True:
            match self._event(deadline - time.monotonic()):
                case Answered() as answer:
                    return answer
                case Ended(how):
                    message = f"{prefix}Error: Runtime exited {how}"
                    return Answered(_error("Runtime.ExitError", message), is_error=True)
                case None:
                    self.end()
                    return Answered(_timed_out(timeout_seconds, prefix), is_error=True)
                case Ready() | InitFailed():
                    # It was done with the invocation before this one.
                    continue

    def end(self) -> None:
        """Kills it, as Lambda does; whoever waits for its answer is told."""
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
            how = f"with error: signal: {signal.Signals(-code).name}"
        elif code > 0:
            how = f"with error: exit status {code}"
        else:
            how = "without providing a reason"
        self._api.events.put(Ended(how))
        self._api.close()


def _timed_out(seconds: float, prefix: str = "") -> bytes:
    message = f"{prefix}Error: Task timed out after {seconds:.2f} seconds"
    return _error("Sandbox.Timedout", message)


def _error(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()
