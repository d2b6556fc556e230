"""Runs an emulator and all of its child processes as one process group that stops together.

An emulator starts functions as child processes. If the emulator dies, neither it nor the operating system
stops them. For this reason, two processes watch each other. The supervisor kills the emulator's process
group when the emulator exits or when the supervisor receives a stop signal. The emulator kills its own
process group when the pipe from the supervisor closes. The kernel closes the pipe even if the supervisor
is killed with SIGKILL.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

GRACE_SECONDS = 2.0
"""Time that the emulator has to save its state and stop before it is killed."""


class _StopRequested(Exception):
    pass


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs `command` until it exits or a stop signal arrives. No process of its group outlives the call.

    Returns 0 if the command stopped after a stop signal, and 1 if it had to be killed. Otherwise returns
    the command's exit code, or 128 + n if signal n killed it.
    """

    def stop(signum: int, frame: FrameType | None) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise _StopRequested

    for each in STOP_SIGNALS:
        signal.signal(each, stop)
    emulator: subprocess.Popen[bytes] | None = None
    try:
        # Nothing is written to the pipe. The emulator detects that this process is gone when the pipe closes.
        emulator = subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.PIPE, start_new_session=True
        )
        code = emulator.wait()
        return 128 - code if code < 0 else code
    except _StopRequested:
        if emulator is not None:
            # Signal the functions too: an invocation in progress would delay the emulator's shutdown.
            _signal_group(emulator.pid, signal.SIGTERM)
            try:
                emulator.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                message = f"emulator did not stop within {GRACE_SECONDS} s and was killed"
                print(message, file=sys.stderr)
                return 1
        return 0
    finally:
        if emulator is not None:
            _signal_group(emulator.pid, signal.SIGKILL)
            emulator.wait()


def exit_when_supervisor_exits() -> None:
    """Kills this process group when the supervisor exits. The emulator process calls it once, at startup."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        _signal_group(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()


def _signal_group(group: int, signum: signal.Signals) -> None:
    try:
        os.killpg(group, signum)
    except (ProcessLookupError, PermissionError):
        # macOS raises PermissionError when only zombie processes are left in the group.
        pass
