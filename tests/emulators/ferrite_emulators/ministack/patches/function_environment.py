"""Gives a function the environment that Lambda gives it, and nothing of the emulator's.

MiniStack hands its own environment on: its settings, whatever started it, its PATH. On AWS a function
sees only the variables of "Defined runtime environment variables" (AWS Lambda Developer Guide) and
its own. MiniStack also leaves out the log group, the initialization type and the log settings.
`AWS_ENDPOINT_URL` is the one addition: without it a function would call AWS itself.
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

FROM_THE_CALLER = ("PATH", "RUST_BACKTRACE", "TMPDIR")
"""PATH for a bootstrap that is a script; TMPDIR because the emulator's ends with it."""


def apply() -> None:
    """Builds each function's environment from Lambda's list."""
    from ministack.services import lambda_svc

    def as_lambda_does(build: Any) -> Any:
        def _provided_worker_env(
            config: dict[str, Any], code_dir: str, port: int
        ) -> dict[str, str]:
            built = build(config, code_dir, port)
            environment = {
                key: built[key] for key in FROM_MINISTACK + FROM_THE_CALLER if key in built
            }
            environment.update(_of_lambda(config))
            environment.update(lambda_svc._runtime_env_vars(config))
            environment["AWS_ENDPOINT_URL"] = built["AWS_ENDPOINT_URL"]
            return environment

        return _provided_worker_env

    require(lambda_svc, "_runtime_env_vars")
    replace(lambda_svc, "_provided_worker_env", as_lambda_does)


def _of_lambda(config: dict[str, Any]) -> dict[str, str]:
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
