"""Builds the environment of a function from the variables that Lambda defines for an OS-only runtime.

Source: "Defined runtime environment variables" (AWS Lambda Developer Guide). LocalStack sets most of them
and adds variables of its own, which are dropped here. `AWS_ENDPOINT_URL` is the one addition: without it,
the function would call AWS instead of the emulator.
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

FROM_CALLER = ("PATH", "RUST_BACKTRACE", "TMPDIR")
"""PATH is for a `bootstrap` that is a script. TMPDIR is a directory that is removed with the emulator."""


def environment(
    configuration: Any,
    code: Path,
    from_localstack: Mapping[str, Any],
    from_caller: Mapping[str, str],
) -> dict[str, str]:
    """Returns the environment of a function with the given `configuration`, whose code is unpacked in `code`.

    `from_localstack` is the environment that LocalStack would use, and `from_caller` is the environment of
    this process. The result does not contain AWS_LAMBDA_RUNTIME_API.
    """
    return {
        **{name: str(from_localstack[name]) for name in FROM_LOCALSTACK if name in from_localstack},
        **{name: from_caller[name] for name in FROM_CALLER if name in from_caller},
        **_logging(configuration.logging_config, str(from_localstack["AWS_LAMBDA_FUNCTION_NAME"])),
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
