"""LocalStack's plug-in for how functions run: each execution environment is a process of this machine.

LocalStack decides when an execution environment starts, is used again and ends, and counts concurrency.
Unlike on AWS, a process is not frozen between invocations.
"""

from __future__ import annotations

import os
import time
from functools import partial
from typing import Any, ClassVar

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from ferrite_emulators.ministack.functions_log import FunctionsLog

from ..settings import PLUGIN
from .environment import environment
from .process import FunctionProcess, InitError
from .runtime_api import Invocation


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """What LAMBDA_RUNTIME_EXECUTOR names."""

    name = PLUGIN

    def load(self, *args: Any, **kwargs: Any) -> type[RuntimeExecutor]:
        return ProcessExecutor


class ProcessExecutor(RuntimeExecutor):
    """One execution environment of one function version."""

    functions_log: ClassVar[FunctionsLog | None] = None
    """Where the lines of all functions go, besides CloudWatch Logs."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        self._environment: dict[str, str] = {}
        self._process: FunctionProcess | None = None

    def start(self, env_vars: dict[str, Any]) -> None:
        """Starts the process; LocalStack's own exception when the function does not come up."""
        code = self.function_version.config.code.get_unzipped_code_location()
        self._environment = environment(self.function_version.config, code, env_vars, os.environ)
        self._start_process()

    def stop(self) -> None:
        """Ends the process, in the middle of an invocation too."""
        if self._process is not None:
            self._process.end()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """The function's answer, with what it has printed."""
        if self._process is None or not self._process.is_running:
            # After a crash or a timeout Lambda starts the function anew in the same environment.
            self._start_process()
        assert self._process is not None
        timeout = self.function_version.config.timeout
        invocation = Invocation(
            request_id=payload["invoke-id"],
            payload=payload["payload"].encode(),
            function_arn=payload["invoked-function-arn"],
            trace_id=payload["trace-id"],
            deadline_ms=int((time.time() + timeout) * 1000),
        )
        answer = self._process.invoke(invocation, timeout)
        printed = self._process.output.take().decode(errors="replace")
        return InvocationResult(
            invocation.request_id, answer.body, answer.is_error, self._logged(invocation, printed)
        )

    def get_logs(self) -> str:
        """What was printed and belongs to no invocation yet: the last words of a failed start."""
        return "" if self._process is None else self._process.output.take().decode(errors="replace")

    def get_address(self) -> str:
        """Where the function is: on this machine."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Where LocalStack is, for the function."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Where LocalStack's own supervisor in a container would report to; there is none."""
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpacks the code."""
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Nothing: LocalStack removes code that no version uses."""

    def _start_process(self) -> None:
        name = self.function_version.id.function_name
        on_line = partial(self.functions_log.write, name) if self.functions_log else lambda _: None
        code = self.function_version.config.code.get_unzipped_code_location()
        try:
            self._process = FunctionProcess(code, self._environment, on_line)
            self._process.wait_until_ready()
        except InitError as error:
            raise StatusErrorException("init failed", payload=error.payload) from error

    def _logged(self, invocation: Invocation, printed: str) -> str:
        # Lambda's own lines; in JSON they have a level, and our template turns off those that say all is well.
        if self.function_version.config.logging_config.get("LogFormat") == "JSON":
            return printed
        request = f"RequestId: {invocation.request_id}"
        version = self.function_version.id.qualifier
        return f"START {request} Version: {version}\n{printed}\nEND {request}\nREPORT {request}\n"
