"""The runtime executor: what a function, and who invokes it, see of Lambda."""

from __future__ import annotations

import base64
import json
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ..emulator import until, zipped
from .emulator import LocalStack

emulator: LocalStack


def setUpModule() -> None:
    global emulator
    emulator = LocalStack(environment={"A_SECRET_OF_THE_CALLER": "1"})
    unittest.addModuleCleanup(emulator.close)
    emulator.deploy()


def invoke(function: str, event: dict[str, Any]) -> tuple[str | None, Any, str]:
    """Lambda's error, if it says that there was one, the function's answer, and what it printed."""
    answer = emulator.client("lambda").invoke(
        FunctionName=emulator.outputs[function], Payload=json.dumps(event), LogType="Tail"
    )
    log = base64.b64decode(answer.get("LogResult", "")).decode()
    return answer.get("FunctionError"), json.loads(answer["Payload"].read()), log


def process_of(function: str) -> int:
    """The process that answers now."""
    answered: int = invoke(function, {"do": "headers"})[1]["pid"]
    return answered


class Invocations(unittest.TestCase):
    def test_a_function_is_started_once_and_then_used_again(self) -> None:
        self.assertEqual(process_of("Function"), process_of("Function"))

    def test_an_invocation_has_its_headers(self) -> None:
        before = time.time()
        _, headers, _ = invoke("Function", {"do": "headers"})
        deadline = int(headers["Lambda-Runtime-Deadline-Ms"]) / 1000
        self.assertTrue(before + 10 <= deadline <= time.time() + 10, "the function's timeout")
        arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.assertTrue(arn.endswith(f":function:{emulator.outputs['Function']}"))
        trace = "Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01]"
        self.assertRegex(headers["Lambda-Runtime-Trace-Id"], trace)

    def test_an_error_that_the_function_reports_is_its_answer_and_the_process_stays(self) -> None:
        process = process_of("Function")
        error, answer, _ = invoke("Function", {"do": "fail"})
        self.assertEqual(error, "Unhandled")
        self.assertEqual(answer, {"errorType": "NoStock", "errorMessage": "sold out"})
        self.assertEqual(process_of("Function"), process)

    def test_a_process_that_ends_is_an_error_and_the_next_call_has_a_new_one(self) -> None:
        # 101 is what a panic of Rust that nobody catches ends with.
        for event, how in (
            ({"do": "crash", "code": 101}, "exit status 101"),
            ({"do": "abort"}, "signal: SIGABRT"),
        ):
            with self.subTest(how):
                process = process_of("Function")
                error, answer, _ = invoke("Function", event)
                self.assertEqual((error, answer["errorType"]), ("Unhandled", "Runtime.ExitError"))
                self.assertIn(f"Error: Runtime exited with error: {how}", answer["errorMessage"])
                self.assertNotEqual(process_of("Function"), process)

    def test_a_function_that_takes_too_long_is_ended(self) -> None:
        process = process_of("Short")
        error, answer, log = invoke("Short", {"do": "sleep", "seconds": 9})
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Sandbox.Timedout"))
        self.assertIn("Task timed out after 1.00 seconds", answer["errorMessage"])
        self.assertIn("asleep", log)
        self.assertNotEqual(process_of("Short"), process)

    def test_a_function_that_does_not_start_says_why(self) -> None:
        error, answer, _ = invoke("FailsToStart", {})
        self.assertEqual(error, "Unhandled")
        self.assertEqual(answer, {"errorType": "NoTable", "errorMessage": "no table"})
        error, answer, _ = invoke("EndsAtStart", {})
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Runtime.ExitError"))
        self.assertIn("exit status 1", answer["errorMessage"])
        printed = partial(emulator.printed, "EndsAtStart")
        self.assertTrue(until(lambda: "last words of a start" in printed()))

    def test_invocations_at_once_have_a_process_each(self) -> None:
        def call(number: int) -> tuple[int, int]:
            _, answer, _ = invoke("Function", {"do": "sleep", "seconds": 1, "for": number})
            return answer["pid"], answer["for"]

        with ThreadPoolExecutor() as pool:
            answers = list(pool.map(call, range(4)))
        self.assertEqual([number for _, number in answers], [0, 1, 2, 3])
        self.assertEqual(len({process for process, _ in answers}), 4)

    def test_new_code_takes_the_place_of_the_old(self) -> None:
        name, process = emulator.outputs["Short"], process_of("Short")
        emulator.client("lambda").update_function_code(FunctionName=name, ZipFile=zipped("new"))
        self.assertTrue(until(lambda: process_of("Short") != process))


class Environment(unittest.TestCase):
    def test_a_function_sees_lambdas_variables_and_nothing_of_the_emulators(self) -> None:
        _, seen, _ = invoke("Function", {"do": "environment"})
        self.assertEqual(seen["AWS_ENDPOINT_URL"], f"http://127.0.0.1:{emulator.port}")
        self.assertEqual(seen["OF_THE_TEMPLATE"], "yes")
        # Python itself adds LC_CTYPE.
        others = {"OF_THE_TEMPLATE", "PATH", "TMPDIR", "RUST_BACKTRACE", "LC_CTYPE"}
        for name in set(seen) - others:
            self.assertRegex(name, "^(AWS_|LAMBDA_TASK_ROOT$|LANG$|TZ$|_HANDLER$)")
        name = emulator.outputs["Function"]
        self.assertEqual(seen["AWS_LAMBDA_FUNCTION_NAME"], name)
        self.assertEqual(seen["AWS_LAMBDA_LOG_GROUP_NAME"], f"/aws/lambda/{name}")
        self.assertEqual(seen["AWS_LAMBDA_INITIALIZATION_TYPE"], "on-demand")
        self.assertNotIn("AWS_LAMBDA_LOG_FORMAT", seen)

    def test_a_function_is_told_how_to_log(self) -> None:
        _, seen, _ = invoke("Logging", {"do": "environment"})
        self.assertEqual(seen["AWS_LAMBDA_LOG_FORMAT"], "JSON")
        self.assertEqual(seen["AWS_LAMBDA_LOG_LEVEL"], "DEBUG")
        self.assertEqual(seen["AWS_LAMBDA_LOG_GROUP_NAME"], "elsewhere")


class Logs(unittest.TestCase):
    def test_what_is_printed_is_in_the_answer_and_in_both_logs(self) -> None:
        for text, stderr in (('{"level":"INFO"}', False), ("straße", True)):
            event = {"do": "print", "text": text, "stderr": stderr}
            self.assertIn(text, invoke("Function", event)[2].splitlines())
            self.assertTrue(until(lambda text=text: text in emulator.printed("Function")))

        def kept() -> bool:
            events = emulator.client("logs").filter_log_events(
                logGroupName=f"/aws/lambda/{emulator.outputs['Function']}"
            )["events"]
            return any(event["message"].strip() == "straße" for event in events)

        self.assertTrue(until(kept))

    def test_lambdas_own_lines_are_there_unless_the_function_logs_in_json(self) -> None:
        def lines(function: str) -> list[str]:
            log = invoke(function, {"do": "print", "text": "mine"})[2]
            return [line.split()[0] for line in log.splitlines() if line]

        self.assertEqual(lines("Function"), ["START", "mine", "END", "REPORT"])
        self.assertEqual(lines("Logging"), ["mine"])

    def test_a_line_is_in_the_log_while_its_invocation_still_runs(self) -> None:
        with ThreadPoolExecutor() as pool:
            call = pool.submit(invoke, "Logging", {"do": "sleep", "seconds": 2})
            self.assertTrue(until(lambda: "asleep" in emulator.printed("Logging")))
            self.assertFalse(call.done())

    def test_the_last_words_of_a_crash_are_in_both(self) -> None:
        self.assertIn("last words", invoke("Logging", {"do": "crash"})[2])
        self.assertTrue(until(lambda: "last words" in emulator.printed("Logging")))
