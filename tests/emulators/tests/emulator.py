"""A launched emulator for a test, with a test template deployed to it."""

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
"""The folder that holds `ferrite_emulators`: what PYTHONPATH names."""

DEADLINE_SECONDS = 20.0
DEPLOY_SECONDS = 60.0
Seen = TypeVar("Seen")


def until(look: Callable[[], Seen], seconds: float = DEADLINE_SECONDS) -> Seen:
    """What `look` answers once it is true; the last answer when `seconds` have passed before that."""
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return seen


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def zipped(comment: str = "") -> bytes:
    """The test function's package; another `comment` gives other bytes that do the same."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        source = (TESTS / "bootstrap.py").read_text()
        archive.writestr(entry, f"#!{sys.executable}\n# {comment}\n{source}")
    return packed.getvalue()


class Emulator:
    """One run of a launcher on a free port, its files in a folder of its own."""

    launcher: str
    """The module that is run."""

    ready_path: str
    """What answers 200 once requests are served."""

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
        """What the launcher is given besides the port and the functions log."""
        return []

    def launch(self) -> subprocess.Popen[str]:
        """Starts the launcher, without waiting for it to be ready."""
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
        """Returns when requests are served; fails with the launcher's output when they never are."""

        def ready() -> bool:
            if self.process.poll() is not None:
                return True
            try:
                return self.http("GET", self.ready_path)[0] == 200
            except OSError:
                return False

        if not until(ready) or self.process.poll() is not None:
            raise AssertionError((self.folder / "output").read_text())

    def stop(self, signum: signal.Signals = signal.SIGTERM) -> int:
        """Ends the launcher as Ctrl-C or a script does; its exit code."""
        self.process.send_signal(signum)
        return self.process.wait(DEADLINE_SECONDS)

    def close(self) -> None:
        """Ends the launcher, if a test has not, and removes its files."""
        if self.process.poll() is None:
            self.stop()
        self._folder.cleanup()

    def client(self, service: str, key_id: str = "test", secret: str = "test") -> Any:
        """A boto3 client that does not retry; it signs as root, or with the given key."""
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
        """Status, headers (names in lower case) and body of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return response.status, named, response.read()
        finally:
            connection.close()

    def api(self, method: str, path: str, *rest: Any) -> tuple[int, dict[str, str], bytes]:
        """The same, of the deployed API."""
        return self.http(method, f"/_aws/execute-api/{self.outputs['Api']}/v1{path}", *rest)

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """What the deployed `function` (its output's name) answers to `event`."""
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs[function], Payload=json.dumps(event)
        )
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        return payload

    def printed(self, function: str) -> Iterator[str]:
        """The lines of `function` in the functions log."""
        if self.functions_log.exists():
            for line in self.functions_log.read_text().splitlines():
                entry = json.loads(line)
                if entry["function"] == self.outputs[function]:
                    yield entry["line"]

    def deploy(self) -> None:
        """Deploys the template through a change set, as the SAM CLI does."""
        self.wait_until_ready()
        s3, stacks = self.client("s3"), self.client("cloudformation")
        s3.create_bucket(Bucket="code")
        s3.put_object(Bucket="code", Key="function.zip", Body=zipped())
        stacks.create_change_set(
            StackName="test",
            ChangeSetName="create",
            ChangeSetType="CREATE",
            TemplateBody=self.template.read_text(),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )

        def change_set_is_ready() -> bool:
            described = stacks.describe_change_set(StackName="test", ChangeSetName="create")
            return "PROGRESS" not in described["Status"]

        def stack_has_settled() -> dict[str, Any] | None:
            stack: dict[str, Any] = stacks.describe_stacks(StackName="test")["Stacks"][0]
            # LocalStack writes the outputs a moment after it has called the stack complete.
            has_outputs = stack["StackStatus"] != "CREATE_COMPLETE" or "Outputs" in stack
            return stack if has_outputs and "PROGRESS" not in stack["StackStatus"] else None

        until(change_set_is_ready)
        stacks.execute_change_set(StackName="test", ChangeSetName="create")
        stack = until(stack_has_settled, DEPLOY_SECONDS)
        if stack is None or stack["StackStatus"] != "CREATE_COMPLETE":
            raise AssertionError(f"deploy: {stack}")
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
