"""Each patch's reason: what MiniStack does without the patches, and what it does with them.

A test that fails on its `unpatched` half says that MiniStack now does the right thing by itself:
delete that patch and its test.
"""

from __future__ import annotations

import json
import statistics
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from .emulator import Emulator, until, zipped

patched: Emulator
unpatched: Emulator


def setUpModule() -> None:
    global patched, unpatched
    caller = {"A_SECRET_OF_THE_CALLER": "1"}
    patched = Emulator(environment=caller)
    unittest.addModuleCleanup(patched.close)
    unpatched = Emulator("--unpatched", environment=caller)
    unittest.addModuleCleanup(unpatched.close)
    with ThreadPoolExecutor() as pool:
        list(pool.map(Emulator.deploy, (patched, unpatched)))


def invocation_ms(emulator: Emulator, event: dict[str, str]) -> float:
    """The median time of a warm invocation through API Gateway, in milliseconds."""
    body = json.dumps(event).encode()
    times = []
    for _ in range(12):
        start = time.perf_counter()
        status, _headers, _body = emulator.api("POST", "/echo", body)
        times.append((time.perf_counter() - start) * 1000)
        assert status == 200
    return statistics.median(times)


class Latency(unittest.TestCase):
    """nagle, log_drain. Bounds are wide, for a busy machine: 5 ms against 96 on a quiet one."""

    def test_a_warm_invocation_waits_for_nothing(self) -> None:
        slow, fast = invocation_ms(unpatched, {}), invocation_ms(patched, {})
        self.assertGreater(slow, 80, "upstream has removed one of the two delays, or both")
        self.assertLess(fast, 40, "one of the two delays is back")


class FunctionEnvironment(unittest.TestCase):
    def test_a_function_sees_lambdas_variables_and_nothing_of_the_emulators(self) -> None:
        theirs = unpatched.invoke("Function", {"do": "environment"})
        self.assertIn("GATEWAY_PORT", theirs)
        self.assertNotIn("AWS_LAMBDA_LOG_GROUP_NAME", theirs)

        ours = patched.invoke("Function", {"do": "environment"})
        self.assertEqual(ours["AWS_ENDPOINT_URL"], f"http://127.0.0.1:{patched.port}")
        self.assertEqual(
            ours["AWS_LAMBDA_LOG_GROUP_NAME"], f"/aws/lambda/{patched.outputs['Function']}"
        )
        self.assertEqual(ours["AWS_REGION"], "us-east-1")
        self.assertEqual(ours["TZ"], ":UTC")
        for name in ("GATEWAY_PORT", "AUTH", "PYTHONPATH", "HOME", "A_SECRET_OF_THE_CALLER"):
            self.assertNotIn(name, ours)

    def test_a_function_has_its_own_roles_credentials(self) -> None:
        credentials = patched.invoke("Function", {"do": "environment"})
        self.assertTrue(credentials["AWS_ACCESS_KEY_ID"].startswith("ASIA"), "AUTH=true is on")
        self.assertTrue(credentials["AWS_SESSION_TOKEN"])


class FunctionProperties(unittest.TestCase):
    def test_a_call_beyond_the_reserved_concurrency_is_throttled(self) -> None:
        def second_call_is_throttled(emulator: Emulator) -> bool:
            lambda_ = emulator.client("lambda")
            first = threading.Thread(
                target=emulator.invoke, args=("Capped", {"do": "sleep", "seconds": 1})
            )
            first.start()
            self.assertTrue(until(lambda: "asleep" in emulator.printed("Capped")))
            try:
                lambda_.invoke(FunctionName=emulator.outputs["Capped"], Payload=b"{}")
            except lambda_.exceptions.TooManyRequestsException:
                return True
            finally:
                first.join()
            return False

        self.assertFalse(second_call_is_throttled(unpatched))
        self.assertTrue(second_call_is_throttled(patched))

    def test_the_dead_letter_queue_of_a_template_is_kept(self) -> None:
        def dead_letters(emulator: Emulator) -> str | None:
            configuration = emulator.client("lambda").get_function_configuration(
                FunctionName=emulator.outputs["Capped"]
            )
            target: str | None = configuration.get("DeadLetterConfig", {}).get("TargetArn")
            return target

        self.assertIsNone(dead_letters(unpatched))
        self.assertEqual(dead_letters(patched), patched.outputs["DeadLetters"])


class TableTtl(unittest.TestCase):
    def test_the_time_to_live_of_a_template_is_on(self) -> None:
        def status(emulator: Emulator) -> str:
            described = emulator.client("dynamodb").describe_time_to_live(
                TableName=emulator.outputs["Table"]
            )
            return str(described["TimeToLiveDescription"]["TimeToLiveStatus"])

        self.assertEqual(status(unpatched), "DISABLED")
        self.assertEqual(status(patched), "ENABLED")


class Routes(unittest.TestCase):
    """any_method, mock_integrations, binary_media_types, gateway_responses."""

    def test_a_route_for_any_method_answers_every_method(self) -> None:
        self.assertEqual(unpatched.api("PUT", "/any")[0], 403)
        self.assertEqual([patched.api(method, "/any")[0] for method in ("GET", "PUT")], [200, 200])

    def test_a_preflight_request_is_answered_with_the_templates_origin(self) -> None:
        origin = "access-control-allow-origin"
        self.assertNotIn(origin, unpatched.api("OPTIONS", "/echo")[1])
        self.assertEqual(patched.api("OPTIONS", "/echo")[1].get(origin), "https://shop.example")

    def test_a_binary_body_reaches_the_function_in_base64(self) -> None:
        def encoded(emulator: Emulator) -> bool:
            headers = {"Content-Type": "application/octet-stream"}
            _status, _headers, event = emulator.api("POST", "/echo", b"\xff\x00", headers)
            return bool(json.loads(event)["isBase64Encoded"])

        self.assertFalse(encoded(unpatched))
        self.assertTrue(encoded(patched))

    def test_an_unknown_route_gets_the_templates_gateway_response(self) -> None:
        self.assertEqual(unpatched.api("GET", "/nowhere")[0], 403)
        status, headers, body = patched.api("GET", "/nowhere")
        self.assertEqual((status, headers["content-type"]), (404, "application/problem+json"))
        self.assertEqual(json.loads(body), {"title": "Not found", "status": 404})


class CodeCache(unittest.TestCase):
    def test_only_the_code_in_use_stays_unpacked(self) -> None:
        def unpacked(emulator: Emulator, edits: int) -> int:
            update = emulator.client("lambda").update_function_code
            for number in range(edits):
                update(FunctionName=emulator.outputs["Function"], ZipFile=zipped(str(number)))
                emulator.invoke("Function", {})
            return len(list(emulator.folder.glob("tmp/*/ministack-provided-code-*/*")))

        self.assertGreaterEqual(unpacked(unpatched, 3), 3)
        # The code of this function, and that of the others.
        self.assertLessEqual(unpacked(patched, 3), 2)


class StreamPersistence(unittest.TestCase):
    def test_a_record_written_after_a_restart_reaches_its_reader(self) -> None:
        def reads_on(*arguments: str) -> bool:
            emulator = Emulator(*arguments)
            self.addCleanup(emulator.close)
            emulator.deploy()

            def write(key: str) -> None:
                emulator.client("dynamodb").put_item(
                    TableName=emulator.outputs["Table"], Item={"pk": {"S": key}}
                )

            def read(key: str) -> bool:
                return any(f'"{key}"' in line for line in emulator.printed("Reader"))

            # Once the second has been read, MiniStack has noted that the first was.
            for key in ("first", "second"):
                write(key)
                self.assertTrue(until(partial(read, key)))
            emulator.stop()
            emulator.launch()
            emulator.wait_until_ready()
            write("after")
            return until(lambda: read("after"), seconds=3)

        with ThreadPoolExecutor() as pool:
            without, with_patch = pool.submit(reads_on, "--unpatched"), pool.submit(reads_on)
        self.assertFalse(without.result())
        self.assertTrue(with_patch.result())
