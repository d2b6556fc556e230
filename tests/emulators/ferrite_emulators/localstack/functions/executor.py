"""LocalStack plug-in that runs each execution environment as a host process instead of a Docker container.

LocalStack decides when to start, reuse and stop an execution environment, and counts concurrency. Unlike
on AWS, a process is not frozen between invocations.
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
    """Registers `ProcessExecutor` with LocalStack. LAMBDA_RUNTIME_EXECUTOR selects it."""

    name = PLUGIN

    def load(self, *args: Any, **kwargs: Any) -> type[RuntimeExecutor]:
        return ProcessExecutor


class ProcessExecutor(RuntimeExecutor):
    """One execution environment of one function version."""

    functions_log: ClassVar[FunctionsLog | None] = None
    """If set, receives each output line of all functions, in addition to CloudWatch Logs."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        self._environment: dict[str, str] = {}
        self._process: FunctionProcess | None = None

    def start(self, env_vars: dict[str, Any]) -> None:
        """Starts the process. Raises LocalStack's `StatusErrorException` if initialization fails."""
        code = self.function_version.config.code.get_unzipped_code_location()
        self._environment = environment(self.function_version.config, code, env_vars, os.environ)
        self._start_process()

    def stop(self) -> None:
        """Kills the process, even during an invocation."""
        if self._process is not None:
            self._process.end()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Invokes the function and returns its response with its log output."""
        if self._process is None or not self._process.is_running:
            # After a crash or a timeout, Lambda restarts the process in the same execution environment.
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
        response = self._process.invoke(invocation, timeout)
        output = self._process.output.take().decode(errors="replace")
        return InvocationResult(
            invocation.request_id, response.body, response.is_error, self._log(invocation, output)
        )

    def get_logs(self) -> str:
        """Returns output that belongs to no invocation, such as that of a failed initialization."""
        return "" if self._process is None else self._process.output.take().decode(errors="replace")

    def get_address(self) -> str:
        """Returns the address of the function, which is this host."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Returns the address at which the function reaches LocalStack."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Returns the URL for LocalStack's in-container supervisor, which this executor does not use."""
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpacks the code of a function version."""
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Does nothing: LocalStack removes the code of deleted versions."""

    def _start_process(self) -> None:
        name = self.function_version.id.function_name
        on_line = partial(self.functions_log.write, name) if self.functions_log else lambda _: None
        code = self.function_version.config.code.get_unzipped_code_location()
        try:
            self._process = FunctionProcess(code, self._environment, on_line)
            self._process.wait_until_ready()
        except InitError as error:
            raise StatusErrorException("init failed", payload=error.payload) from error

    def _log(self, invocation: Invocation, output: str) -> str:
        # With JSON logging, the template's system log level turns off Lambda's START, END and REPORT records.
        if self.function_version.config.logging_config.get("LogFormat") == "JSON":
            return output
        request = f"RequestId: {invocation.request_id}"
        version = self.function_version.id.qualifier
        return f"START {request} Version: {version}\n{output}\nEND {request}\nREPORT {request}\n"
