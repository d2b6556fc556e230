"""Removes a delay of about 43 ms from each invocation.

MiniStack's Runtime API server writes a response in two segments. Nagle's algorithm holds the second segment
until the function's delayed ACK of the first one arrives. With TCP_NODELAY, it is sent immediately.
Delete this patch when MiniStack sets TCP_NODELAY or writes a response in one segment.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace


def apply() -> None:
    """Disables Nagle's algorithm on all connections to the Runtime API."""
    from ministack.core.lambda_runtime import ProvidedWorker

    def without_delay(build: Any) -> Any:
        def _build_handler_class(self: Any, *args: Any) -> Any:
            handler = build(self, *args)
            handler.disable_nagle_algorithm = True
            return handler

        return _build_handler_class

    replace(ProvidedWorker, "_build_handler_class", without_delay)
