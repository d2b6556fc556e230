"""Tests the command line and the shutdown of `python -m ferrite_emulators.localstack`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import unittest

from ferrite_emulators.localstack.patches import PATCHES, name_of

from ..emulator import PACKAGES, wait_until
from ..processes import alive, processes
from .emulator import MINISTACK_PYTHON, LocalStack

STOPS_WITHIN_SECONDS = 3.0


def run_launcher(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the launcher with arguments that it must reject."""
    return subprocess.run(
        [sys.executable, "-m", "ferrite_emulators.localstack", *arguments],
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        capture_output=True,
        text=True,
        timeout=60,
    )


class Arguments(unittest.TestCase):
    def test_rejects_missing_and_invalid_arguments(self) -> None:
        python = ["--ministack-python", MINISTACK_PYTHON]
        for arguments in (
            ["--port", "4566"],
            ["--port", "70000", *python],
            ["--port", "4566", "--ministack-python", "no/such/python"],
            python,
        ):
            with self.subTest(arguments):
                self.assertEqual(run_launcher(*arguments).returncode, 2)

    def test_reports_a_port_in_use_in_one_line(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = str(listener.getsockname()[1])
            rejected = run_launcher("--port", port, "--ministack-python", MINISTACK_PYTHON)
        self.assertEqual(rejected.returncode, 2)
        self.assertEqual(rejected.stderr.count("\n"), 1)
        self.assertIn(f"port {port}", rejected.stderr)

    def test_reports_that_ministack_does_not_start(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        failed = run_launcher("--port", port, "--ministack-python", "/bin/false")
        self.assertEqual(failed.returncode, 1)
        self.assertIn("ferrite-localstack: MiniStack exited with code 1", failed.stderr)


class Patches(unittest.TestCase):
    def test_each_patch_has_a_docstring_and_is_in_the_readme(self) -> None:
        readme = (PACKAGES / "README.md").read_text()
        for patch in PATCHES:
            with self.subTest(name_of(patch)):
                self.assertTrue(patch.__doc__)
                self.assertTrue(f"`{name_of(patch)}`" in readme)


class Running(unittest.TestCase):
    def test_listens_on_127_0_0_1_only(self) -> None:
        emulator = LocalStack()
        self.addCleanup(emulator.close)
        emulator.wait_until_ready()
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.2", emulator.port), timeout=1).close()


class Stopping(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = LocalStack()
        self.addCleanup(self.emulator.close)
        self.emulator.wait_until_ready()
        for name in ("Idle", "Busy"):
            self.emulator.add_function(name)

    def start_busy_functions(self) -> set[int]:
        """Starts an idle and a busy function. Returns their processes, the emulator and MiniStack."""

        def long_call() -> None:
            try:
                self.emulator.invoke("Busy", {"do": "sleep", "seconds": 9})
            except Exception:
                pass  # The connection closes when the emulator stops.

        self.emulator.invoke("Idle", {})
        threading.Thread(target=long_call, daemon=True).start()
        self.assertTrue(wait_until(lambda: "sleeping" in self.emulator.log_lines("Busy")))
        started = processes(self.emulator.process.pid)
        self.assertGreaterEqual(len(started), 4)
        return started

    def assert_all_stopped(self, started: set[int]) -> None:
        wait_until(lambda: not alive(started), STOPS_WITHIN_SECONDS)
        self.assertEqual(alive(started), set())

    def test_a_signal_stops_all_processes_and_removes_temporary_files(self) -> None:
        started = self.start_busy_functions()
        self.emulator.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.emulator.process.wait(STOPS_WITHIN_SECONDS), 0)
        self.assert_all_stopped(started)
        self.assertEqual(list((self.emulator.folder / "tmp").iterdir()), [])

    def test_all_processes_stop_when_the_launcher_is_killed(self) -> None:
        started = self.start_busy_functions()
        self.emulator.stop(signal.SIGKILL)
        self.assert_all_stopped(started)

    def test_all_processes_stop_when_localstack_or_ministack_is_killed(self) -> None:
        started = self.start_busy_functions()
        _localstack, ministack, *_functions = sorted(started)
        os.kill(ministack, signal.SIGKILL)
        self.assertNotEqual(self.emulator.process.wait(STOPS_WITHIN_SECONDS), 0)
        self.assert_all_stopped(started)

        self.emulator.launch()
        self.emulator.wait_until_ready()
        started = processes(self.emulator.process.pid)
        os.kill(min(started), signal.SIGKILL)
        self.assertEqual(self.emulator.process.wait(STOPS_WITHIN_SECONDS), 128 + signal.SIGKILL)
        self.assert_all_stopped(started)
