"""A client of Lambda's Runtime API.

It replaces AWS's awslambdaric, which needs CMake and a C++ compiler to install.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"


@dataclass(frozen=True)
class Context:
    """The Lambda context of an invocation, with the same types as in awslambdaric."""

    aws_request_id: str
    invoked_function_arn: str
    deadline_ms: int
    function_name: str = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    memory_limit_in_mb: str = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]

    def get_remaining_time_in_millis(self) -> int:
        """Returns the milliseconds until the invocation times out."""
        return max(self.deadline_ms - int(time.time() * 1000), 0)


def serve(handler: Callable[[Any, Context], Any]) -> None:
    """Serves invocations until the process is killed or a handler raises an exception."""
    while True:
        with urllib.request.urlopen(f"{API}/next") as invocation:
            event = json.load(invocation)
            headers = invocation.headers
        os.environ["_X_AMZN_TRACE_ID"] = headers["lambda-runtime-trace-id"]
        context = Context(
            aws_request_id=headers["lambda-runtime-aws-request-id"],
            invoked_function_arn=headers["lambda-runtime-invoked-function-arn"],
            deadline_ms=int(headers["lambda-runtime-deadline-ms"]),
        )
        response = json.dumps(handler(event, context)).encode()
        urllib.request.urlopen(f"{API}/{context.aws_request_id}/response", data=response).close()
