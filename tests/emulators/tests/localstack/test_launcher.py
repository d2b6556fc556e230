"""What `python -m ferrite_emulators.localstack` promises to the scripts that start it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import unittest

from ferrite_emulators.localstack.patches import PATCHES, name_of

from ..emulator import PACKAGES, until
from ..processes import alive, processes
from .emulator import MINISTACK_PYTHON, LocalStack

STOPS_WITHIN_SECONDS = 3.0


def launcher(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the launcher with arguments that it should refuse."""
    return subprocess.run(
        [sys.executable, "-m", "ferrite_emulators.localstack", *arguments],
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        capture_output=True,
        text=True,
        timeout=60,
    )


class Arguments(unittest.TestCase):
    def test_what_is_missing_or_makes_no_sense_is_an_error(self) -> None:
        python = ["--ministack-python", MINISTACK_PYTHON]
        for arguments in (
            ["--port", "4566"],
            ["--port", "70000", *python],
            ["--port", "4566", "--ministack-python", "no/such/python"],
            python,
        ):
            with self.subTest(arguments):
                self.assertEqual(launcher(*arguments).returncode, 2)

    def test_a_port_in_use_is_one_clear_line(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            refused = launcher("--port", port, "--ministack-python", MINISTACK_PYTHON)
        self.assertEqual(refused.returncode, 2)
        self.assertEqual(refused.stderr.count("\n"), 1)
        self.assertIn(f"port {port}", refused.stderr)

    def test_tables_that_do_not_start_are_one_clear_line(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        failed = launcher("--port", port, "--ministack-python", "/bin/false")
        self.assertEqual(failed.returncode, 1)
        self.assertIn("ferrite-localstack: MiniStack ended with code 1", failed.stderr)


class Patches(unittest.TestCase):
    def test_each_patch_gives_its_reason_and_is_in_the_readme(self) -> None:
        readme = (PACKAGES / "README.md").read_text()
        for patch in PATCHES:
            with self.subTest(name_of(patch)):
                self.assertTrue(patch.__doc__)
                self.assertTrue(f"`{name_of(patch)}`" in readme)


class Running(unittest.TestCase):
    def test_only_this_machine_reaches_it(self) -> None:
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

    def busy(self) -> set[int]:
        """Processes: the emulator, the tables, an idle function, and one in the middle of a call."""

        def long_call() -> None:
            try:
                self.emulator.invoke("Busy", {"do": "sleep", "seconds": 9})
            except Exception:
                pass  # The connection ends with the emulator.

        self.emulator.invoke("Idle", {})
        threading.Thread(target=long_call, daemon=True).start()
        self.assertTrue(until(lambda: "asleep" in self.emulator.printed("Busy")))
        started = processes(self.emulator.process.pid)
        self.assertGreaterEqual(len(started), 4)
        return started

    def assert_none_left(self, started: set[int]) -> None:
        until(lambda: not alive(started), STOPS_WITHIN_SECONDS)
        self.assertEqual(alive(started), set())

    def test_a_signal_ends_everything_and_leaves_nothing_behind(self) -> None:
        started = self.busy()
        self.emulator.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.emulator.process.wait(STOPS_WITHIN_SECONDS), 0)
        self.assert_none_left(started)
        self.assertEqual(list((self.emulator.folder / "tmp").iterdir()), [])

    def test_everything_ends_with_a_killed_launcher(self) -> None:
        started = self.busy()
        self.emulator.stop(signal.SIGKILL)
        self.assert_none_left(started)

    def test_everything_ends_with_a_killed_localstack_and_with_killed_tables(self) -> None:
        started = self.busy()
        localstack, tables, *_ = sorted(started)
        os.kill(tables, signal.SIGKILL)
        self.assertNotEqual(self.emulator.process.wait(STOPS_WITHIN_SECONDS), 0)
        self.assert_none_left(started)

        self.emulator.launch()
        self.emulator.wait_until_ready()
        started = processes(self.emulator.process.pid)
        os.kill(min(started), signal.SIGKILL)
        self.assertEqual(self.emulator.process.wait(STOPS_WITHIN_SECONDS), 128 + signal.SIGKILL)
        self.assert_none_left(started)
