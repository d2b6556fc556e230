"""Takes about 50 ms out of every invocation that logs nothing.

After a response MiniStack waits for a first log line for 50 ms. A function writes its lines before it
posts its response, so they are in the pipe by then, and what has not been read within a few
milliseconds goes to the next invocation's log stream (functions_log has every line at once).
"""

from __future__ import annotations

from typing import Any

from .replacement import PatchError, replace

FIRST_LINE_SECONDS = 0.003
QUIET_SECONDS = 0.002
LONGEST_SECONDS = 0.250


def apply() -> None:
    """Shortens the wait for log lines."""
    from ministack.core.lambda_runtime import Worker

    def with_short_waits(drain: Any) -> Any:
        expected = ("first_line_wait", "idle_confirm", "hard_cap")
        if drain.__code__.co_varnames[1:4] != expected:
            raise PatchError(f"Worker._drain_stderr_bounded no longer takes {expected}")
        drain.__defaults__ = (FIRST_LINE_SECONDS, QUIET_SECONDS, LONGEST_SECONDS)
        return drain

    replace(Worker, "_drain_stderr_bounded", with_short_waits)
