"""The environment that Lambda gives a function, and nothing of the emulator's.

"Defined runtime environment variables" (AWS Lambda Developer Guide), as those of an OS-only runtime.
LocalStack has most of them, and some of its own. `AWS_ENDPOINT_URL` is the one addition: without it a
function would call AWS itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

FROM_LOCALSTACK = (
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "TZ",
    "_HANDLER",
)

FROM_THE_CALLER = ("PATH", "RUST_BACKTRACE", "TMPDIR")
"""PATH for a bootstrap that is a script; TMPDIR because the emulator's ends with it."""


def environment(
    configuration: Any, code: Path, localstacks: Mapping[str, Any], callers: Mapping[str, str]
) -> dict[str, str]:
    """The variables of a function with LocalStack's `configuration`, unpacked in `code`.

    `localstacks` are those that LocalStack would give it. AWS_LAMBDA_RUNTIME_API is not among them.
    """
    return {
        **{name: str(localstacks[name]) for name in FROM_LOCALSTACK if name in localstacks},
        **{name: callers[name] for name in FROM_THE_CALLER if name in callers},
        **_logging(configuration.logging_config, str(localstacks["AWS_LAMBDA_FUNCTION_NAME"])),
        "LAMBDA_TASK_ROOT": str(code),
        "LANG": "en_US.UTF-8",
        **(configuration.environment or {}),
    }


def _logging(logging: Mapping[str, str], function: str) -> dict[str, str]:
    variables = {"AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup") or f"/aws/lambda/{function}"}
    if logging.get("LogFormat") == "JSON":
        variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        variables["AWS_LAMBDA_LOG_LEVEL"] = logging.get("ApplicationLogLevel") or "INFO"
    return variables
