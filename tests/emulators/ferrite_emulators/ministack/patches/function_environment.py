"""Gives functions only the environment variables that Lambda gives them.

AWS: a function has its configured variables and those of "Defined runtime environment variables" (AWS
Lambda Developer Guide).
MiniStack: passes its own environment on, including its settings and the variables of the process that
started it. It does not set the variables for the log group, initialization type and log settings.
`AWS_ENDPOINT_URL` is the one addition to Lambda's variables: without it, a function would call AWS.
Delete this patch when MiniStack sets only Lambda's variables.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace, require

FROM_MINISTACK = (
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
)

FROM_CALLER = ("PATH", "RUST_BACKTRACE", "TMPDIR")
"""PATH is for a `bootstrap` that is a script. TMPDIR is a directory that is removed with the emulator."""


def apply() -> None:
    """Builds the environment of each function from Lambda's list of variables."""
    from ministack.services import lambda_svc

    def with_lambda_variables(build: Any) -> Any:
        def _provided_worker_env(
            config: dict[str, Any], code_dir: str, port: int
        ) -> dict[str, str]:
            built = build(config, code_dir, port)
            environment = {
                key: built[key] for key in FROM_MINISTACK + FROM_CALLER if key in built
            }
            environment.update(_missing_variables(config))
            environment.update(lambda_svc._runtime_env_vars(config))
            environment["AWS_ENDPOINT_URL"] = built["AWS_ENDPOINT_URL"]
            return environment

        return _provided_worker_env

    require(lambda_svc, "_runtime_env_vars")
    replace(lambda_svc, "_provided_worker_env", with_lambda_variables)


def _missing_variables(config: dict[str, Any]) -> dict[str, str]:
    logging = config.get("LoggingConfig") or {}
    log_group = logging.get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    variables = {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
    }
    if logging.get("LogFormat") == "JSON":
        variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        variables["AWS_LAMBDA_LOG_LEVEL"] = logging.get("ApplicationLogLevel") or "INFO"
    return variables
