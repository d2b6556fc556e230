"""DynamoDB and its streams: MiniStack's, on a port of their own behind LocalStack.

LocalStack has neither itself; it downloads Amazon's DynamoDB Local, which needs Java. MiniStack's checks
conditions and transactions as AWS does. It runs without AUTH, as LocalStack enforces no permissions.
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
"""Where the providers below find the tables."""


class TablesError(Exception):
    """MiniStack did not start."""


class Tables:
    """A MiniStack of this process's group, that ends with this process, and this process with it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.url = f"http://{ports.HOST}:{port}"

    @classmethod
    def start(cls, python: Path) -> Tables:
        """Starts MiniStack with the `python` of its environment, and does not wait for it."""
        port = ports.free()
        environment = settings.environment(port, Path(tempfile.gettempdir()), None, os.environ)
        environment |= {"AUTH": "false", "PYTHONPATH": str(PACKAGES)}
        process = subprocess.Popen(
            [str(python), "-m", "ferrite_emulators.ministack.server", "--patches", "all"],
            env=environment,
            # Never written to: MiniStack ends the whole group when this process is gone.
            stdin=subprocess.PIPE,
        )
        return cls(process, port)

    def wait_until_ready(self) -> None:
        """Returns when it answers, and sees to it that LocalStack does not go on without it."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None:
                raise TablesError(f"MiniStack ended with code {self._process.returncode}")
            if time.monotonic() > deadline:
                raise TablesError(f"MiniStack did not answer within {READY_SECONDS:.0f} s")
            time.sleep(0.05)
        os.environ[URL_VARIABLE] = self.url
        threading.Thread(target=self._end_with_it, name="tables-watch", daemon=True).start()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/ready", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _end_with_it(self) -> None:
        code = self._process.wait()
        print(f"ferrite-localstack: MiniStack ended with code {code}", file=sys.stderr, flush=True)
        os._exit(1)
