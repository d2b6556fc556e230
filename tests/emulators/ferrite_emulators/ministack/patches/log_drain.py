"""Removes a delay of about 50 ms from each invocation that logs nothing.

After a response, MiniStack waits up to 50 ms for the first log line. A function writes its lines before it
posts its response, so they are already in the pipe. With this patch, lines that are not read within a few
milliseconds go to the log stream of the next invocation. The functions log (functions_log.py) still receives
every line immediately.
Delete this patch when MiniStack no longer waits for the first line.
"""

from __future__ import annotations

from typing import Any

from .replacement import PatchError, replace

FIRST_LINE_WAIT_SECONDS = 0.003
IDLE_CONFIRM_SECONDS = 0.002
HARD_CAP_SECONDS = 0.250


def apply() -> None:
    """Shortens the time that MiniStack waits for log lines."""
    from ministack.core.lambda_runtime import Worker

    def with_short_waits(drain: Any) -> Any:
        expected = ("first_line_wait", "idle_confirm", "hard_cap")
        if drain.__code__.co_varnames[1:4] != expected:
            raise PatchError(
                f"Worker._drain_stderr_bounded no longer takes the parameters {', '.join(expected)}"
            )
        drain.__defaults__ = (FIRST_LINE_WAIT_SECONDS, IDLE_CONFIRM_SECONDS, HARD_CAP_SECONDS)
        return drain

    replace(Worker, "_drain_stderr_bounded", with_short_waits)
