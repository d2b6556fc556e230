"""Runs MiniStack on a separate port to provide DynamoDB and DynamoDB Streams for LocalStack.

LocalStack does not implement DynamoDB. It downloads DynamoDB Local from Amazon, which needs Java.
MiniStack evaluates conditions and transactions as AWS does. It runs without AUTH because LocalStack
enforces no permissions.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from ferrite_emulators import ports
from ferrite_emulators.ministack import settings

PACKAGES = Path(__file__).resolve().parents[2]
READY_SECONDS = 30.0
URL_VARIABLE = "FERRITE_TABLES_URL"
"""The environment variable from which the providers read the URL of MiniStack."""


class TablesError(Exception):
    """MiniStack did not start."""


class Tables:
    """A MiniStack process in this process group. MiniStack and this process end together."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.url = f"http://{ports.HOST}:{port}"

    @classmethod
    def start(cls, python: Path) -> Tables:
        """Starts MiniStack with `python`, the interpreter of its virtual environment, without waiting for it."""
        port = ports.find_free()
        environment = settings.environment(port, Path(tempfile.gettempdir()), None, os.environ)
        environment |= {"AUTH": "false", "PYTHONPATH": str(PACKAGES)}
        process = subprocess.Popen(
            [str(python), "-m", "ferrite_emulators.ministack.server", "--patches", "all"],
            env=environment,
            # Nothing is written to the pipe. MiniStack kills the process group when the pipe closes.
            stdin=subprocess.PIPE,
        )
        return cls(process, port)

    def wait_until_ready(self) -> None:
        """Waits until MiniStack is ready. From then on, this process exits if MiniStack does.

        Raises `TablesError` if MiniStack exits or is not ready within `READY_SECONDS`.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None:
                raise TablesError(f"MiniStack exited with code {self._process.returncode}")
            if time.monotonic() > deadline:
                raise TablesError(f"MiniStack was not ready within {READY_SECONDS:.0f} s")
            time.sleep(0.05)
        os.environ[URL_VARIABLE] = self.url
        threading.Thread(target=self._exit_with_ministack, name="tables-watch", daemon=True).start()

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/ready", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _exit_with_ministack(self) -> None:
        code = self._process.wait()
        print(f"ferrite-localstack: MiniStack exited with code {code}", file=sys.stderr, flush=True)
        os._exit(1)
