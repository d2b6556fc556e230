"""Runs an emulator and everything it spawns as one process group that ends as one.

An emulator starts functions as child processes, and neither it nor the operating system ends them
when it dies. So two processes watch each other: this supervisor ends the emulator's whole group when
the emulator exits or a signal asks it to, and the emulator ends its own group when the pipe from the
supervisor closes, which the kernel does even when the supervisor is killed with SIGKILL.
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
"""How long an emulator may take to stop by itself (and save its state) before it is killed."""


class _StopRequested(Exception):
    pass


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs `command` until it ends or a stop signal comes; no process of its group outlives the call.

    Returns 0 when a signal asked it to stop and it did, 1 when it had to be killed for that; else the
    command's own exit code, or 128 + n when signal n killed it.
    """

    def stop(signum: int, frame: FrameType | None) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise _StopRequested

    for each in STOP_SIGNALS:
        signal.signal(each, stop)
    emulator: subprocess.Popen[bytes] | None = None
    try:
        # The pipe is never written to: it only tells the emulator when this process is gone.
        emulator = subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.PIPE, start_new_session=True
        )
        code = emulator.wait()
        return 128 - code if code < 0 else code
    except _StopRequested:
        if emulator is not None:
            # The functions too: an invocation under way would hold up the emulator's own shutdown.
            _signal_group(emulator.pid, signal.SIGTERM)
            try:
                emulator.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                print(f"emulator did not stop within {GRACE_SECONDS} s: killed", file=sys.stderr)
                return 1
        return 0
    finally:
        if emulator is not None:
            _signal_group(emulator.pid, signal.SIGKILL)
            emulator.wait()


def end_with_supervisor() -> None:
    """Called by the emulator's process once, at start: ends its group when the supervisor is gone."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        _signal_group(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()


def _signal_group(group: int, signum: signal.Signals) -> None:
    try:
        os.killpg(group, signum)
    except (ProcessLookupError, PermissionError):
        # PermissionError: macOS answers so when only zombies are left in the group.
        pass
