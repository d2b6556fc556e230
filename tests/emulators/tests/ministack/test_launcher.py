"""What `python -m ferrite_emulators.ministack` promises to the scripts that start it."""

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

from ..emulator import PACKAGES, until
from ..processes import alive, processes
from .emulator import MiniStack

STOPS_WITHIN_SECONDS = 3.0


def launcher(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the launcher with arguments that it should refuse."""
    return subprocess.run(
        [sys.executable, "-m", "ferrite_emulators.ministack", *arguments],
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        capture_output=True,
        text=True,
        timeout=20,
    )


class Arguments(unittest.TestCase):
    def test_an_unknown_argument_and_a_port_that_is_none_are_errors(self) -> None:
        for arguments in (["--port", "4566", "--prot"], ["--port", "70000"], []):
            with self.subTest(arguments):
                self.assertEqual(launcher(*arguments).returncode, 2)

    def test_a_port_in_use_is_one_clear_line(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            refused = launcher("--port", port)
        self.assertEqual(refused.returncode, 2)
        self.assertEqual(refused.stderr.count("\n"), 1)
        self.assertIn(f"port {port}", refused.stderr)


class Patches(unittest.TestCase):
    def test_a_patch_without_its_target_stops_the_start(self) -> None:
        with self.assertRaisesRegex(PatchError, "no longer has gone"):
            replace(os, "gone", lambda original: original)

    def test_each_patch_gives_its_reason_and_is_in_the_readme(self) -> None:
        readme = (PACKAGES / "README.md").read_text()
        for patch in PATCHES:
            with self.subTest(name_of(patch)):
                self.assertTrue(patch.__doc__)
                self.assertIn(f"`{name_of(patch)}`", readme)


class Running(unittest.TestCase):
    """One emulator with the test template, that no test ends."""

    emulator: MiniStack

    @classmethod
    def setUpClass(cls) -> None:
        cls.emulator = MiniStack()
        cls.addClassCleanup(cls.emulator.close)
        cls.emulator.deploy()

    def printed(self, function: str, line: str) -> bool:
        return line in self.emulator.printed(function)

    def test_only_this_machine_reaches_it(self) -> None:
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.2", self.emulator.port), timeout=1).close()

    def test_functions_call_aws_where_they_are_told_to(self) -> None:
        emulator = MiniStack("--functions-port", "4599")
        self.addCleanup(emulator.close)
        emulator.deploy()
        environment = emulator.invoke("Function", {"do": "environment"})
        self.assertEqual(environment["AWS_ENDPOINT_URL"], "http://127.0.0.1:4599")

    def test_lines_of_stdout_and_stderr_are_in_the_log(self) -> None:
        self.emulator.invoke("Function", {"do": "print", "text": '{"level":"INFO"}'})
        self.emulator.invoke("Function", {"do": "print", "text": "straße", "stderr": True})
        for line in ('{"level":"INFO"}', "straße"):
            self.assertTrue(until(partial(self.printed, "Function", line)), line)

    def test_a_line_is_in_the_log_while_its_invocation_still_runs(self) -> None:
        event = {"do": "sleep", "seconds": 2}
        invocation = threading.Thread(target=self.emulator.invoke, args=("Capped", event))
        invocation.start()
        self.assertTrue(until(partial(self.printed, "Capped", "asleep")))
        self.assertTrue(invocation.is_alive())
        invocation.join()

    def test_the_last_words_of_a_crash_are_in_the_log(self) -> None:
        answer = self.emulator.invoke("Reader", {"do": "crash"})
        self.assertEqual(answer["errorType"], "Runtime.ExitError")
        self.assertTrue(until(partial(self.printed, "Reader", "last words")))


class Stopping(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = MiniStack()
        self.addCleanup(self.emulator.close)
        self.emulator.deploy()

    def busy(self) -> set[int]:
        """The emulator's processes: itself, an idle function, and one in the middle of a call."""

        def long_call() -> None:
            try:
                self.emulator.invoke("Function", {"do": "sleep", "seconds": 9})
            except Exception:
                pass  # The connection ends with the emulator.

        def calls() -> int:
            return list(self.emulator.printed("Function")).count("asleep")

        before = calls()
        self.emulator.invoke("Capped", {})
        threading.Thread(target=long_call, daemon=True).start()
        self.assertTrue(until(lambda: calls() > before))
        started = processes(self.emulator.process.pid)
        self.assertGreaterEqual(len(started), 3)
        return started

    def assert_none_left(self, started: set[int]) -> None:
        until(lambda: not alive(started), STOPS_WITHIN_SECONDS)
        self.assertEqual(alive(started), set())

    def assert_stops_cleanly(self, signum: signal.Signals) -> None:
        started = self.busy()
        self.emulator.process.send_signal(signum)
        self.assertEqual(self.emulator.process.wait(STOPS_WITHIN_SECONDS), 0)
        self.assert_none_left(started)
        self.assertEqual(list((self.emulator.folder / "tmp").iterdir()), [])

    def test_a_signal_ends_everything_and_the_stack_comes_back_with_the_next_start(self) -> None:
        table = {"TableName": self.emulator.outputs["Table"]}
        self.emulator.client("dynamodb").put_item(**table, Item={"pk": {"S": "kept"}})
        self.assert_stops_cleanly(signal.SIGTERM)

        self.emulator.launch()
        self.emulator.wait_until_ready()
        self.assertEqual(self.emulator.api("GET", "/echo")[0], 200)
        item = self.emulator.client("dynamodb").get_item(**table, Key={"pk": {"S": "kept"}})
        self.assertIn("Item", item)
        self.assert_stops_cleanly(signal.SIGINT)

    def test_the_functions_end_with_a_killed_launcher_whose_state_is_not_used_again(self) -> None:
        started = self.busy()
        self.emulator.stop(signal.SIGKILL)
        self.assert_none_left(started)

        self.emulator.launch()
        self.emulator.wait_until_ready()
        self.assertEqual(self.emulator.client("cloudformation").list_stacks()["StackSummaries"], [])

    def test_the_functions_end_with_a_killed_emulator(self) -> None:
        started = self.busy()
        os.kill(min(started), signal.SIGKILL)
        self.assertEqual(self.emulator.process.wait(STOPS_WITHIN_SECONDS), 128 + signal.SIGKILL)
        self.assert_none_left(started)
