"""Tests the command line and the shutdown of `python -m ferrite_emulators.ministack`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import unittest
from functools import partial

from ferrite_emulators.ministack.patches import PATCHES, PatchError, name_of, replace

from ..emulator import PACKAGES, wait_until
from ..processes import alive, processes
from .emulator import MiniStack

STOPS_WITHIN_SECONDS = 3.0


def run_launcher(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the program with arguments that it must reject."""
    return subprocess.run(
        [sys.executable, "-m", "ferrite_emulators.ministack", *arguments],
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        capture_output=True,
        text=True,
        timeout=20,
    )


class Arguments(unittest.TestCase):
    def test_rejects_missing_and_invalid_arguments(self) -> None:
        for arguments in (["--port", "4566", "--prot"], ["--port", "70000"], []):
            with self.subTest(arguments):
                self.assertEqual(run_launcher(*arguments).returncode, 2)

    def test_reports_a_port_in_use_in_one_line(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = str(listener.getsockname()[1])
            rejected = run_launcher("--port", port)
        self.assertEqual(rejected.returncode, 2)
        self.assertEqual(rejected.stderr.count("\n"), 1)
        self.assertIn(f"port {port}", rejected.stderr)


class Patches(unittest.TestCase):
    def test_raises_patch_error_if_the_target_is_missing(self) -> None:
        with self.assertRaisesRegex(PatchError, "no longer has missing"):
            replace(os, "missing", lambda original: original)

    def test_each_patch_has_a_docstring_and_is_in_the_readme(self) -> None:
        readme = (PACKAGES / "README.md").read_text()
        for patch in PATCHES:
            with self.subTest(name_of(patch)):
                self.assertTrue(patch.__doc__)
                self.assertIn(f"`{name_of(patch)}`", readme)


class Running(unittest.TestCase):
    """Tests that share one emulator with the test template deployed."""

    emulator: MiniStack

    @classmethod
    def setUpClass(cls) -> None:
        cls.emulator = MiniStack()
        cls.addClassCleanup(cls.emulator.close)
        cls.emulator.deploy()

    def has_log_line(self, function: str, line: str) -> bool:
        return line in self.emulator.log_lines(function)

    def test_listens_on_127_0_0_1_only(self) -> None:
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.2", self.emulator.port), timeout=1).close()

    def test_functions_call_aws_at_the_functions_port(self) -> None:
        emulator = MiniStack("--functions-port", "4599")
        self.addCleanup(emulator.close)
        emulator.deploy()
        environment = emulator.invoke("Function", {"do": "environment"})
        self.assertEqual(environment["AWS_ENDPOINT_URL"], "http://127.0.0.1:4599")

    def test_writes_lines_of_stdout_and_stderr_to_the_functions_log(self) -> None:
        self.emulator.invoke("Function", {"do": "print", "text": '{"level":"INFO"}'})
        self.emulator.invoke("Function", {"do": "print", "text": "straße", "stderr": True})
        for line in ('{"level":"INFO"}', "straße"):
            self.assertTrue(wait_until(partial(self.has_log_line, "Function", line)), line)

    def test_writes_a_line_to_the_functions_log_during_the_invocation(self) -> None:
        event = {"do": "sleep", "seconds": 2}
        invocation = threading.Thread(target=self.emulator.invoke, args=("Capped", event))
        invocation.start()
        self.assertTrue(wait_until(partial(self.has_log_line, "Capped", "sleeping")))
        self.assertTrue(invocation.is_alive())
        invocation.join()

    def test_writes_the_last_lines_before_a_crash_to_the_functions_log(self) -> None:
        response = self.emulator.invoke("Reader", {"do": "crash"})
        self.assertEqual(response["errorType"], "Runtime.ExitError")
        self.assertTrue(wait_until(partial(self.has_log_line, "Reader", "about to crash")))


class Stopping(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = MiniStack()
        self.addCleanup(self.emulator.close)
        self.emulator.deploy()

    def start_busy_functions(self) -> set[int]:
        """Starts an idle and a busy function. Returns their processes and the emulator."""

        def long_call() -> None:
            try:
                self.emulator.invoke("Function", {"do": "sleep", "seconds": 9})
            except Exception:
                pass  # The connection closes when the emulator stops.

        def started_calls() -> int:
            return list(self.emulator.log_lines("Function")).count("sleeping")

        before = started_calls()
        self.emulator.invoke("Capped", {})
        threading.Thread(target=long_call, daemon=True).start()
        self.assertTrue(wait_until(lambda: started_calls() > before))
        started = processes(self.emulator.process.pid)
        self.assertGreaterEqual(len(started), 3)
        return started

    def assert_all_stopped(self, started: set[int]) -> None:
        wait_until(lambda: not alive(started), STOPS_WITHIN_SECONDS)
        self.assertEqual(alive(started), set())

    def assert_stops_cleanly(self, signum: signal.Signals) -> None:
        started = self.start_busy_functions()
        self.emulator.process.send_signal(signum)
        self.assertEqual(self.emulator.process.wait(STOPS_WITHIN_SECONDS), 0)
        self.assert_all_stopped(started)
        self.assertEqual(list((self.emulator.folder / "tmp").iterdir()), [])

    def test_a_signal_stops_all_processes_and_the_next_start_restores_the_stack(self) -> None:
        table = {"TableName": self.emulator.outputs["Table"]}
        self.emulator.client("dynamodb").put_item(**table, Item={"pk": {"S": "saved"}})
        self.assert_stops_cleanly(signal.SIGTERM)

        self.emulator.launch()
        self.emulator.wait_until_ready()
        self.assertEqual(self.emulator.api("GET", "/echo")[0], 200)
        item = self.emulator.client("dynamodb").get_item(**table, Key={"pk": {"S": "saved"}})
        self.assertIn("Item", item)
        self.assert_stops_cleanly(signal.SIGINT)

    def test_functions_stop_when_the_launcher_is_killed_and_the_state_is_dropped(self) -> None:
        started = self.start_busy_functions()
        self.emulator.stop(signal.SIGKILL)
        self.assert_all_stopped(started)

        self.emulator.launch()
        self.emulator.wait_until_ready()
        self.assertEqual(self.emulator.client("cloudformation").list_stacks()["StackSummaries"], [])

    def test_functions_stop_when_the_emulator_is_killed(self) -> None:
        started = self.start_busy_functions()
        os.kill(min(started), signal.SIGKILL)
        self.assertEqual(self.emulator.process.wait(STOPS_WITHIN_SECONDS), 128 + signal.SIGKILL)
        self.assert_all_stopped(started)
