"""Removes a delay of 0.5 s from each update of a function.

MiniStack runs the new code from the next invocation on, but reports the update as in progress for another
half second. `./scripts/dev` waits for the end of the update, because Lambda may run the earlier code until
then (AWS Lambda, "UpdateFunctionCode").
Delete this patch when MiniStack reports the end of an update when the new code runs.
"""

from __future__ import annotations

from .replacement import replace

UPDATE_SECONDS = 0.02
"""How long an update is reported as in progress. Clients still see that an update takes time."""


def apply() -> None:
    """Shortens the time that MiniStack reports an update as in progress."""
    from ministack.services import lambda_svc

    replace(lambda_svc, "_LAMBDA_STATE_TRANSITION_DELAY", lambda _: UPDATE_SECONDS)
