"""Starts an emulator for a test and deploys a test template to it."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config

TESTS = Path(__file__).parent
PACKAGES = TESTS.parent
"""The directory for PYTHONPATH. It contains `ferrite_emulators`."""

DEADLINE_SECONDS = 20.0
DEPLOY_SECONDS = 60.0
T = TypeVar("T")


def wait_until(condition: Callable[[], T], seconds: float = DEADLINE_SECONDS) -> T:
    """Calls `condition` until it returns a true value or `seconds` have passed. Returns the last value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


def free_port() -> int:
    """Returns a port that no process is listening on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def function_package(comment: str = "") -> bytes:
    """Returns the test function as a ZIP file. A different `comment` changes its hash but not its behavior."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        source = (TESTS / "bootstrap.py").read_text()
        archive.writestr(entry, f"#!{sys.executable}\n# {comment}\n{source}")
    return package.getvalue()


class Emulator:
    """An emulator that a launcher runs on a free port, with its files in a temporary directory."""

    launcher: str
    """The launcher module."""

    ready_path: str
    """The path that returns 200 when the emulator is ready."""

    template: Path

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ferrite-test-")
        self.folder = Path(self._folder.name)
        self.port = free_port()
        self.functions_log = self.folder / "functions.log"
        self._arguments = arguments
        self._environment = environment or {}
        self.outputs: dict[str, str] = {}
        self.process = self.launch()

    def options(self) -> list[str]:
        """Returns additional launcher options, after the port and the functions log."""
        return []

    def launch(self) -> subprocess.Popen[str]:
        """Starts the launcher without waiting until the emulator is ready."""
        (self.folder / "tmp").mkdir(exist_ok=True)
        command = [sys.executable, "-m", self.launcher, "--port", str(self.port)]
        command += ["--functions-log", str(self.functions_log), *self.options()]
        with (self.folder / "output").open("a") as output:
            self.process = subprocess.Popen(
                [*command, *self._arguments],
                env={
                    **os.environ,
                    "PYTHONPATH": str(PACKAGES),
                    "TMPDIR": str(self.folder / "tmp"),
                    **self._environment,
                },
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        return self.process

    def wait_until_ready(self) -> None:
        """Waits until the emulator is ready. Fails with the launcher's output if it does not become ready."""

        def ready() -> bool:
            if self.process.poll() is not None:
                return True
            try:
                return self.http("GET", self.ready_path)[0] == 200
            except OSError:
                return False

        if not wait_until(ready) or self.process.poll() is not None:
            raise AssertionError((self.folder / "output").read_text())

    def stop(self, signum: signal.Signals = signal.SIGTERM) -> int:
        """Sends a stop signal to the launcher and returns its exit code."""
        self.process.send_signal(signum)
        return self.process.wait(DEADLINE_SECONDS)

    def close(self) -> None:
        """Stops the launcher if it is still running, and removes its files."""
        if self.process.poll() is None:
            self.stop()
        self._folder.cleanup()

    def client(self, service: str, key_id: str = "test", secret: str = "test") -> Any:
        """Returns a boto3 client without retries. It uses the root credentials unless a key is given."""
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
        )

    def http(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Sends a request. Returns the status, the headers with lower-case names, and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            response_headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, response_headers, response.read()
        finally:
            connection.close()

    def api(self, method: str, path: str, *args: Any) -> tuple[int, dict[str, str], bytes]:
        """Sends a request to the deployed API, like `http`."""
        return self.http(method, f"/_aws/execute-api/{self.outputs['Api']}/v1{path}", *args)

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """Invokes the deployed `function`, given by its stack output, and returns its response."""
        response = self.client("lambda").invoke(
            FunctionName=self.outputs[function], Payload=json.dumps(event)
        )
        payload: dict[str, Any] = json.loads(response["Payload"].read())
        return payload

    def log_lines(self, function: str) -> Iterator[str]:
        """Yields the lines of `function` in the functions log."""
        if self.functions_log.exists():
            for line in self.functions_log.read_text().splitlines():
                entry = json.loads(line)
                if entry["function"] == self.outputs[function]:
                    yield entry["line"]

    def deploy(self) -> None:
        """Deploys the template with a change set, as the SAM CLI does."""
        self.wait_until_ready()
        s3 = self.client("s3")
        cloudformation = self.client("cloudformation")
        s3.create_bucket(Bucket="code")
        s3.put_object(Bucket="code", Key="function.zip", Body=function_package())
        cloudformation.create_change_set(
            StackName="test",
            ChangeSetName="create",
            ChangeSetType="CREATE",
            TemplateBody=self.template.read_text(),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )

        def change_set_is_ready() -> bool:
            change_set = cloudformation.describe_change_set(
                StackName="test", ChangeSetName="create"
            )
            return "PROGRESS" not in change_set["Status"]

        def finished_stack() -> dict[str, Any] | None:
            stack: dict[str, Any] = cloudformation.describe_stacks(StackName="test")["Stacks"][0]
            # LocalStack adds the outputs shortly after it sets the status to complete.
            has_outputs = stack["StackStatus"] != "CREATE_COMPLETE" or "Outputs" in stack
            return stack if has_outputs and "PROGRESS" not in stack["StackStatus"] else None

        wait_until(change_set_is_ready)
        cloudformation.execute_change_set(StackName="test", ChangeSetName="create")
        stack = wait_until(finished_stack, DEPLOY_SECONDS)
        if stack is None or stack["StackStatus"] != "CREATE_COMPLETE":
            raise AssertionError(f"deployment failed: {stack}")
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
