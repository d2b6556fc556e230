"""Tests the runtime executor from the view of a function and of its callers."""

from __future__ import annotations

import base64
import json
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ..emulator import function_package, wait_until
from .emulator import LocalStack

emulator: LocalStack


def setUpModule() -> None:
    global emulator
    emulator = LocalStack(environment={"CALLER_SECRET": "1"})
    unittest.addModuleCleanup(emulator.close)
    emulator.deploy()


def invoke(function: str, event: dict[str, Any]) -> tuple[str | None, Any, str]:
    """Invokes a function. Returns Lambda's FunctionError (if any), the response, and the log output."""
    response = emulator.client("lambda").invoke(
        FunctionName=emulator.outputs[function], Payload=json.dumps(event), LogType="Tail"
    )
    log = base64.b64decode(response.get("LogResult", "")).decode()
    return response.get("FunctionError"), json.loads(response["Payload"].read()), log


def process_of(function: str) -> int:
    """Returns the process id of the current execution environment."""
    pid: int = invoke(function, {"do": "headers"})[1]["pid"]
    return pid


class Invocations(unittest.TestCase):
    def test_reuses_the_process_for_the_next_invocation(self) -> None:
        self.assertEqual(process_of("Function"), process_of("Function"))

    def test_sets_the_invocation_headers(self) -> None:
        before = time.time()
        _, headers, _ = invoke("Function", {"do": "headers"})
        deadline = int(headers["Lambda-Runtime-Deadline-Ms"]) / 1000
        self.assertTrue(before + 10 <= deadline <= time.time() + 10, "deadline is not in 10 s")
        arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.assertTrue(arn.endswith(f":function:{emulator.outputs['Function']}"))
        trace = "Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01]"
        self.assertRegex(headers["Lambda-Runtime-Trace-Id"], trace)

    def test_returns_a_reported_error_and_keeps_the_process(self) -> None:
        process = process_of("Function")
        error, response, _ = invoke("Function", {"do": "fail"})
        self.assertEqual(error, "Unhandled")
        expected = {"errorType": "TestError", "errorMessage": "requested by the test"}
        self.assertEqual(response, expected)
        self.assertEqual(process_of("Function"), process)

    def test_returns_an_error_for_a_crash_and_restarts_the_process(self) -> None:
        # 101 is the exit code of a Rust process after a panic.
        for event, reason in (
            ({"do": "crash", "code": 101}, "exit status 101"),
            ({"do": "abort"}, "signal: SIGABRT"),
        ):
            with self.subTest(reason):
                process = process_of("Function")
                error, response, _ = invoke("Function", event)
                self.assertEqual((error, response["errorType"]), ("Unhandled", "Runtime.ExitError"))
                message = f"Error: Runtime exited with error: {reason}"
                self.assertIn(message, response["errorMessage"])
                self.assertNotEqual(process_of("Function"), process)

    def test_kills_a_function_that_times_out(self) -> None:
        process = process_of("ShortTimeout")
        error, response, log = invoke("ShortTimeout", {"do": "sleep", "seconds": 9})
        self.assertEqual((error, response["errorType"]), ("Unhandled", "Sandbox.Timedout"))
        self.assertIn("Task timed out after 1.00 seconds", response["errorMessage"])
        self.assertIn("sleeping", log)
        self.assertNotEqual(process_of("ShortTimeout"), process)

    def test_returns_the_initialization_error(self) -> None:
        error, response, _ = invoke("FailsInit", {})
        self.assertEqual(error, "Unhandled")
        self.assertEqual(response, {"errorType": "NoTable", "errorMessage": "no table"})
        error, response, _ = invoke("ExitsDuringInit", {})
        self.assertEqual((error, response["errorType"]), ("Unhandled", "Runtime.ExitError"))
        self.assertIn("exit status 1", response["errorMessage"])
        log_lines = partial(emulator.log_lines, "ExitsDuringInit")
        self.assertTrue(wait_until(lambda: "about to exit during init" in log_lines()))

    def test_runs_concurrent_invocations_in_separate_processes(self) -> None:
        def call(number: int) -> tuple[int, int]:
            _, response, _ = invoke("Function", {"do": "sleep", "seconds": 1, "number": number})
            return response["pid"], response["number"]

        with ThreadPoolExecutor() as pool:
            responses = list(pool.map(call, range(4)))
        self.assertEqual([number for _, number in responses], [0, 1, 2, 3])
        self.assertEqual(len({process for process, _ in responses}), 4)

    def test_runs_new_code_after_an_update(self) -> None:
        process = process_of("ShortTimeout")
        emulator.client("lambda").update_function_code(
            FunctionName=emulator.outputs["ShortTimeout"], ZipFile=function_package("new")
        )
        self.assertTrue(wait_until(lambda: process_of("ShortTimeout") != process))


class Environment(unittest.TestCase):
    def test_a_function_has_only_lambda_variables(self) -> None:
        _, variables, _ = invoke("Function", {"do": "environment"})
        self.assertEqual(variables["AWS_ENDPOINT_URL"], f"http://127.0.0.1:{emulator.port}")
        self.assertEqual(variables["FROM_TEMPLATE"], "yes")
        # Python itself adds LC_CTYPE.
        others = {"FROM_TEMPLATE", "PATH", "TMPDIR", "RUST_BACKTRACE", "LC_CTYPE"}
        for name in set(variables) - others:
            self.assertRegex(name, "^(AWS_|LAMBDA_TASK_ROOT$|LANG$|TZ$|_HANDLER$)")
        name = emulator.outputs["Function"]
        self.assertEqual(variables["AWS_LAMBDA_FUNCTION_NAME"], name)
        self.assertEqual(variables["AWS_LAMBDA_LOG_GROUP_NAME"], f"/aws/lambda/{name}")
        self.assertEqual(variables["AWS_LAMBDA_INITIALIZATION_TYPE"], "on-demand")
        self.assertNotIn("AWS_LAMBDA_LOG_FORMAT", variables)

    def test_sets_the_logging_variables(self) -> None:
        _, variables, _ = invoke("Logging", {"do": "environment"})
        self.assertEqual(variables["AWS_LAMBDA_LOG_FORMAT"], "JSON")
        self.assertEqual(variables["AWS_LAMBDA_LOG_LEVEL"], "DEBUG")
        self.assertEqual(variables["AWS_LAMBDA_LOG_GROUP_NAME"], "custom")


class Logs(unittest.TestCase):
    def test_output_is_in_the_log_result_and_in_both_logs(self) -> None:
        for text, stderr in (('{"level":"INFO"}', False), ("straße", True)):
            event = {"do": "print", "text": text, "stderr": stderr}
            self.assertIn(text, invoke("Function", event)[2].splitlines())
            self.assertTrue(wait_until(lambda text=text: text in emulator.log_lines("Function")))

        def is_in_cloudwatch_logs() -> bool:
            events = emulator.client("logs").filter_log_events(
                logGroupName=f"/aws/lambda/{emulator.outputs['Function']}"
            )["events"]
            return any(event["message"].strip() == "straße" for event in events)

        self.assertTrue(wait_until(is_in_cloudwatch_logs))

    def test_adds_platform_lines_unless_the_log_format_is_json(self) -> None:
        def lines(function: str) -> list[str]:
            log = invoke(function, {"do": "print", "text": "output"})[2]
            return [line.split()[0] for line in log.splitlines() if line]

        self.assertEqual(lines("Function"), ["START", "output", "END", "REPORT"])
        self.assertEqual(lines("Logging"), ["output"])

    def test_writes_a_line_to_the_functions_log_during_the_invocation(self) -> None:
        with ThreadPoolExecutor() as pool:
            call = pool.submit(invoke, "Logging", {"do": "sleep", "seconds": 2})
            self.assertTrue(wait_until(lambda: "sleeping" in emulator.log_lines("Logging")))
            self.assertFalse(call.done())

    def test_writes_the_last_lines_before_a_crash_to_both_logs(self) -> None:
        self.assertIn("about to crash", invoke("Logging", {"do": "crash"})[2])
        self.assertTrue(wait_until(lambda: "about to crash" in emulator.log_lines("Logging")))
