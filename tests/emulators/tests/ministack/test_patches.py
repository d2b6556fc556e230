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
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ..emulator import until, zipped
from .emulator import MiniStack

patched: MiniStack
unpatched: MiniStack


def setUpModule() -> None:
    global patched, unpatched
    caller = {"A_SECRET_OF_THE_CALLER": "1"}
    patched = MiniStack(environment=caller)
    unittest.addModuleCleanup(patched.close)
    unpatched = MiniStack("--unpatched", environment=caller)
    unittest.addModuleCleanup(unpatched.close)
    with ThreadPoolExecutor() as pool:
        list(pool.map(MiniStack.deploy, (patched, unpatched)))


def invocation_ms(emulator: MiniStack, event: dict[str, str]) -> float:
    """The median time of a warm invocation through API Gateway, in milliseconds."""
    body = json.dumps(event).encode()
    times = []
    for _ in range(12):
        start = time.perf_counter()
        status, _headers, _body = emulator.api("POST", "/echo", body)
        times.append((time.perf_counter() - start) * 1000)
        assert status == 200
    return statistics.median(times)


def user_with(emulator: MiniStack, statements: list[dict[str, Any]]) -> tuple[str, str]:
    """The access key of a new user with these permissions, and its secret."""
    iam = emulator.client("iam")
    name = f"user-{time.monotonic_ns()}"
    iam.create_user(UserName=name)
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="allowed", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


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
        def second_call_is_throttled(emulator: MiniStack) -> bool:
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
        def dead_letters(emulator: MiniStack) -> str | None:
            configuration = emulator.client("lambda").get_function_configuration(
                FunctionName=emulator.outputs["Capped"]
            )
            target: str | None = configuration.get("DeadLetterConfig", {}).get("TargetArn")
            return target

        self.assertIsNone(dead_letters(unpatched))
        self.assertEqual(dead_letters(patched), patched.outputs["DeadLetters"])


class TableTtl(unittest.TestCase):
    def test_the_time_to_live_of_a_template_is_on(self) -> None:
        def status(emulator: MiniStack) -> str:
            described = emulator.client("dynamodb").describe_time_to_live(
                TableName=emulator.outputs["Table"]
            )
            return str(described["TimeToLiveDescription"]["TimeToLiveStatus"])

        self.assertEqual(status(unpatched), "DISABLED")
        self.assertEqual(status(patched), "ENABLED")


class LeadingKeys(unittest.TestCase):
    TABLE = "orders"

    @classmethod
    def setUpClass(cls) -> None:
        for emulator in (unpatched, patched):
            emulator.client("dynamodb").create_table(
                TableName=cls.TABLE,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[
                    {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "shelf")
                ],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": "shelves",
                        "KeySchema": [{"AttributeName": "shelf", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            )

    def allows(
        self, emulator: MiniStack, operation: str, request: dict[str, Any], *keys: str
    ) -> bool:
        """Whether the request is one for somebody who may do everything under these keys."""
        conditions = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)}}
        anything = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}
        user = user_with(emulator, [{**anything, "Condition": conditions}])
        client = emulator.client("dynamodb", *user)
        try:
            getattr(client, operation)(**request)
        except ClientError as error:
            self.assertEqual(error.response["Error"]["Code"], "AccessDeniedException")
            return False
        return True

    def test_a_request_needs_every_partition_that_it_names(self) -> None:
        def key(text: str) -> dict[str, Any]:
            return {"pk": {"S": text}}

        def on_table(**rest: Any) -> dict[str, Any]:
            return {"TableName": self.TABLE, **rest}

        def batch(entries: Any) -> dict[str, Any]:
            return {"RequestItems": {self.TABLE: entries}}

        def transaction(*items: dict[str, Any]) -> dict[str, Any]:
            return {"TransactItems": list(items)}

        put = {"Put": on_table(Item=key("A#3"))}
        update = {"Update": on_table(Key=key("B#3"), UpdateExpression="SET a = :a")}
        update["Update"]["ExpressionAttributeValues"] = {":a": {"S": "a"}}
        by_name = on_table(
            KeyConditionExpression="#p = :p",
            ExpressionAttributeNames={"#p": "pk"},
            ExpressionAttributeValues={":p": {"S": "A#1"}},
        )
        by_shelf = on_table(
            IndexName="shelves",
            KeyConditionExpression="shelf=:s",
            ExpressionAttributeValues={":s": {"S": "B#1"}},
        )
        start = {**key("A#1"), "shelf": {"S": "B#1"}}
        both = ["A#*", "B#*"]
        for operation, request, needed in [
            ("get_item", on_table(Key=key("A#1")), ["A#*"]),
            ("put_item", on_table(Item={**key("A#1"), "shelf": {"S": "B#1"}}), ["A#?"]),
            ("update_item", on_table(Key=key("A#1")), ["A#1"]),
            ("delete_item", on_table(Key=key("A#2")), ["A#*"]),
            ("query", by_name, ["A#*"]),
            ("query", by_shelf, ["B#*"]),
            ("query", {**by_shelf, "ExclusiveStartKey": start}, both),
            ("batch_get_item", batch({"Keys": [key("A#1"), key("B#1")]}), both),
            ("batch_write_item", batch([{"PutRequest": {"Item": key("A#4")}}]), ["A#*"]),
            ("batch_write_item", batch([{"DeleteRequest": {"Key": key("B#4")}}]), ["B#*"]),
            ("transact_write_items", transaction(put), ["A#*"]),
            ("transact_write_items", transaction(put, update), both),
            ("transact_get_items", transaction({"Get": on_table(Key=key("B#1"))}), ["B#*"]),
        ]:
            with self.subTest(operation, needed=needed):
                self.assertTrue(self.allows(unpatched, operation, request, "other"))
                self.assertTrue(self.allows(patched, operation, request, *needed, "other"))
                for missing in needed:
                    allowed = [other for other in needed if other != missing]
                    self.assertFalse(self.allows(patched, operation, request, *allowed, "other"))

    def test_a_scan_names_none(self) -> None:
        # Which is why a role that must keep to its keys may not scan.
        self.assertTrue(self.allows(patched, "scan", {"TableName": self.TABLE}, "other"))


class Routes(unittest.TestCase):
    """any_method, mock_integrations, binary_media_types, gateway_responses, method_settings."""

    def test_a_route_for_any_method_answers_every_method(self) -> None:
        self.assertEqual(unpatched.api("PUT", "/any")[0], 403)
        self.assertEqual([patched.api(method, "/any")[0] for method in ("GET", "PUT")], [200, 200])

    def test_a_preflight_request_is_answered_with_the_templates_origin(self) -> None:
        origin = "access-control-allow-origin"
        self.assertNotIn(origin, unpatched.api("OPTIONS", "/echo")[1])
        self.assertEqual(patched.api("OPTIONS", "/echo")[1].get(origin), "https://shop.example")

    def test_a_binary_body_reaches_the_function_in_base64(self) -> None:
        def encoded(emulator: MiniStack) -> bool:
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

    def test_a_route_has_the_limits_that_the_template_gives_it(self) -> None:
        self.assertEqual(unpatched.api("GET", "/never/asked")[0], 200)
        self.assertEqual(patched.api("GET", "/never/asked")[0], 429)


class CodeCache(unittest.TestCase):
    def test_only_the_code_in_use_stays_unpacked(self) -> None:
        def unpacked(emulator: MiniStack, edits: int) -> int:
            update = emulator.client("lambda").update_function_code
            for number in range(edits):
                update(FunctionName=emulator.outputs["Function"], ZipFile=zipped(str(number)))
                emulator.invoke("Function", {})
            return len(list(emulator.folder.glob("tmp/*/ministack-provided-code-*/*")))

        self.assertGreaterEqual(unpacked(unpatched, 3), 3)
        # The code of this function, and that of the others.
        self.assertLessEqual(unpacked(patched, 3), 2)


class Ses(unittest.TestCase):
    """ses_events, ses_permissions, ses_validation."""

    def send(
        self, emulator: MiniStack, recipient: str = "ada@example.org", **rest: Any
    ) -> dict[str, Any]:
        """SES's answer to an e-mail with the template's sender; the error when it refuses."""
        ses = rest.pop("client", None) or emulator.client("ses")
        try:
            answer: dict[str, Any] = ses.send_email(
                Source="Shop <shop@example.com>",
                Destination={"ToAddresses": [recipient]},
                Message={"Subject": {"Data": "Welcome"}, "Body": {"Text": {"Data": "Hello"}}},
                **rest,
            )
            return answer
        except ClientError as error:
            refusal: dict[str, Any] = dict(error.response["Error"])
            return refusal

    def told(self, emulator: MiniStack, recipient: str, seconds: float) -> list[dict[str, Any]]:
        """The events "Email Sent" up to that of the e-mail to `recipient`, or for `seconds`."""
        receive = emulator.client("sqs").receive_message
        queue = emulator.outputs["EmailsSent"]
        events: list[dict[str, Any]] = []

        def told_of_it() -> bool:
            messages = receive(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
            events.extend(json.loads(message["Body"]) for message in messages)
            return any(event["detail"]["mail"]["destination"] == [recipient] for event in events)

        until(told_of_it, seconds)
        return events

    def test_an_accepted_email_is_told_of_on_the_default_bus(self) -> None:
        refused, plain, tagged = "told-no-domain", "told-plain@example.org", "told@example.org"
        tags = [{"Name": "event", "Value": "cus_1-1"}]

        def send_all(emulator: MiniStack) -> str:
            emails = {"ConfigurationSetName": emulator.outputs["Emails"]}
            self.assertIn("Code", self.send(emulator, refused, **emails))
            self.assertIn("MessageId", self.send(emulator, plain))
            return str(self.send(emulator, tagged, Tags=tags, **emails)["MessageId"])

        send_all(unpatched)
        self.assertEqual(self.told(unpatched, tagged, seconds=1), [])
        message_id = send_all(patched)
        events = [
            event
            for event in self.told(patched, tagged, seconds=20)
            if event["detail"]["mail"]["destination"][0].startswith("told")
        ]
        self.assertEqual(len(events), 1)
        event = events[0]
        configuration_set = patched.outputs["Emails"]
        self.assertEqual((event["source"], event["detail-type"]), ("aws.ses", "Email Sent"))
        self.assertEqual(
            event["resources"],
            [f"arn:aws:ses:us-east-1:{event['account']}:configuration-set/{configuration_set}"],
        )
        self.assertEqual((event["detail"]["eventType"], event["detail"]["send"]), ("Send", {}))
        mail = event["detail"]["mail"]
        self.assertEqual(mail["messageId"], message_id)
        self.assertTrue(mail["sourceArn"].endswith(":identity/shop@example.com"))
        self.assertEqual(
            mail["tags"], {"ses:configuration-set": [configuration_set], "event": ["cus_1-1"]}
        )

    def test_a_role_needs_its_sender_its_recipient_and_its_configuration_set(self) -> None:
        def may_send(emulator: MiniStack, *resources: str, **condition: Any) -> bool:
            account = emulator.client("sts").get_caller_identity()["Account"]
            owned = f"arn:aws:ses:us-east-1:{account}:"
            allowed = {
                "Effect": "Allow",
                "Action": "ses:SendEmail",
                "Resource": [owned + resource for resource in resources],
                **condition,
            }
            ses = emulator.client("ses", *user_with(emulator, [allowed]))
            emails = emulator.outputs["Emails"]
            answer = self.send(emulator, ConfigurationSetName=emails, client=ses)
            self.assertIn(answer.get("Code"), (None, "AccessDenied"))
            return "MessageId" in answer

        def only_from(address: str) -> dict[str, Any]:
            return {"Condition": {"StringEquals": {"ses:FromAddress": address}}}

        sender, recipient = "identity/shop@example.com", "identity/ada@example.org"
        self.assertFalse(may_send(unpatched, "*"))
        emails = f"configuration-set/{patched.outputs['Emails']}"
        self.assertTrue(may_send(patched, sender, recipient, emails))
        self.assertFalse(may_send(patched, sender, recipient))
        self.assertFalse(may_send(patched, sender, emails))
        self.assertFalse(may_send(patched, recipient, emails))
        anyone = ("identity/*", emails)
        self.assertTrue(may_send(patched, *anyone, **only_from("shop@example.com")))
        self.assertFalse(may_send(patched, *anyone, **only_from("other@example.com")))

    def test_what_cannot_be_a_recipient_or_a_tag_is_refused(self) -> None:
        for recipient in ("ada..b@example.org", ".ada@example.org", "ada b@example.org"):
            self.assertIn("MessageId", self.send(unpatched, recipient))
            self.assertEqual(self.send(patched, recipient)["Code"], "InvalidParameterValue")
        self.assertEqual(self.send(patched, "ada")["Message"], "Missing final '@domain'")
        self.assertIn("MessageId", self.send(patched, "Ada B. <ada.b@example.org>"))

        tags = [{"Name": "event", "Value": "cus_1:1"}]
        self.assertIn("MessageId", self.send(unpatched, Tags=tags))
        self.assertEqual(
            self.send(patched, Tags=tags)["Message"],
            "Invalid tag value <cus_1:1>: "
            "only alphanumeric ASCII characters, '_', and '-' are allowed.",
        )


class MissingObjects(unittest.TestCase):
    def test_only_who_may_list_a_bucket_is_told_what_is_not_in_it(self) -> None:
        def told(emulator: MiniStack, key: str, *allowed: dict[str, str]) -> str:
            """What somebody who may do this is told of an object in the bucket `code`."""
            s3 = emulator.client("s3", *user_with(emulator, [get, *allowed]))
            try:
                s3.get_object(Bucket="code", Key=key)
            except ClientError as error:
                return str(error.response["Error"]["Code"])
            return "there"

        code = "arn:aws:s3:::code"
        get = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{code}/*"}
        list_ = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": code}
        self.assertEqual(told(unpatched, "missing"), "NoSuchKey")
        self.assertEqual(told(patched, "missing"), "AccessDenied")
        self.assertEqual(told(patched, "missing", list_), "NoSuchKey")
        self.assertEqual(told(patched, "function.zip"), "there")


class NestedTransforms(unittest.TestCase):
    """And alarm_expressions, with the template that needs both."""

    def test_the_operations_template_is_deployed_as_a_nested_stack(self) -> None:
        operations = Path(__file__).parents[4] / "infra" / "operations.yaml"

        def alarms(emulator: MiniStack) -> tuple[str, list[str]]:
            """How the outer stack ended, and the names of the alarms."""
            emulator.client("s3").put_object(
                Bucket="code", Key="operations.yaml", Body=operations.read_bytes()
            )
            nested = {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {
                    "TemplateURL": f"http://127.0.0.1:{emulator.port}/code/operations.yaml",
                    "Parameters": {"Service": "shop", "AlarmTopicArn": ""},
                },
            }
            cloudformation, stack = emulator.client("cloudformation"), "operated"
            cloudformation.create_stack(
                StackName=stack,
                TemplateBody=json.dumps({"Resources": {"Operations": nested}}),
                Capabilities=["CAPABILITY_AUTO_EXPAND"],
            )

            def status() -> str:
                return str(
                    cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
                )

            self.assertTrue(until(lambda: not status().endswith("_IN_PROGRESS")))
            pages = emulator.client("cloudwatch").get_paginator("describe_alarms").paginate()
            return status(), [
                alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]
            ]

        self.assertEqual(alarms(unpatched), ("ROLLBACK_COMPLETE", []))
        status, names = alarms(patched)
        self.assertEqual(status, "CREATE_COMPLETE")
        for part in ("Errorsplaceorder", "Slowreportsales", "Filledordersdlq", "OrdersStandStill"):
            self.assertTrue(any(part in name for name in names), names)
        dashboards = patched.client("cloudwatch").list_dashboards()["DashboardEntries"]
        self.assertEqual(len(dashboards), 1)


class WebAcls(unittest.TestCase):
    """What its rules do is in test_firewall.py."""

    template = Path(__file__).parents[4] / "infra" / "firewall.yaml"

    def deploy(self, emulator: MiniStack, stack: str, template: str, limit: int) -> str:
        """Puts the firewall before the test API, or changes it; how the stack ended."""
        cloudformation = emulator.client("cloudformation")
        stacks = cloudformation.describe_stacks()["Stacks"]
        is_there = any(each["StackName"] == stack for each in stacks)
        stage = f"/restapis/{emulator.outputs['Api']}/stages/v1"
        values = {
            "Service": stack,
            "StageArn": f"arn:aws:apigateway:us-east-1::{stage}",
            "RequestsPerClient": str(limit),
            "LogRetentionDays": "1",
            "Origin": "",
        }
        (cloudformation.update_stack if is_there else cloudformation.create_stack)(
            StackName=stack,
            TemplateBody=template,
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()],
        )

        def status() -> str:
            return str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])

        self.assertTrue(until(lambda: not status().endswith("_IN_PROGRESS")))
        return status()

    def test_a_firewall_stands_before_its_stage_until_it_is_deleted(self) -> None:
        template = self.template.read_text()
        deploy = partial(self.deploy, stack="firewall")

        def answered(size: int) -> int:
            return patched.api("POST", "/echo", b"x" * size)[0]

        with self.assertRaises(ClientError):
            deploy(unpatched, template=template, limit=10)
        self.assertEqual(deploy(patched, template=template, limit=1000), "CREATE_COMPLETE")
        self.assertEqual([answered(size) for size in (65536, 65537)], [200, 413])
        for _ in range(10):
            self.assertEqual(answered(1), 200)

        changed = template.replace("Too many requests", "Slower")
        self.assertEqual(deploy(patched, template=changed, limit=10), "UPDATE_COMPLETE")
        self.assertEqual([answered(1) for _ in range(11)], [200] * 10 + [429])
        status, headers, body = patched.api("GET", "/echo")
        self.assertEqual((status, headers["retry-after"]), (429, "300"))
        self.assertEqual(headers["content-type"], "application/json")
        self.assertEqual(json.loads(body)["title"], "Slower")

        cloudformation = patched.client("cloudformation")
        cloudformation.delete_stack(StackName="firewall")
        self.assertTrue(until(lambda: answered(1) == 200))
        self.assertTrue(until(lambda: answered(65537) == 200))

    def test_a_request_that_is_blocked_without_an_answer_gets_api_gateways(self) -> None:
        def answered(emulator: MiniStack) -> tuple[int, Any]:
            waf = emulator.client("wafv2")
            visibility = {
                "SampledRequestsEnabled": False,
                "CloudWatchMetricsEnabled": False,
                "MetricName": "closed",
            }
            created = waf.create_web_acl(
                Name="closed",
                Scope="REGIONAL",
                DefaultAction={"Block": {}},
                VisibilityConfig=visibility,
            )
            stage = f"arn:aws:apigateway:us-east-1::/restapis/{emulator.outputs['Api']}/stages/v1"
            waf.associate_web_acl(WebACLArn=created["Summary"]["ARN"], ResourceArn=stage)
            status, _headers, body = emulator.api("GET", "/echo")
            waf.disassociate_web_acl(ResourceArn=stage)
            self.assertEqual(emulator.api("GET", "/echo")[0], 200)
            return status, json.loads(body).get("message")

        self.assertEqual(answered(unpatched), (200, None))
        self.assertEqual(answered(patched), (403, "Forbidden"))

    def test_a_rule_that_would_not_be_evaluated_is_not_taken(self) -> None:
        template = self.template.read_text()
        known = "SizeConstraintStatement:\n"
        self.assertIn(known, template)
        other = template.replace(known, "SqliMatchStatement:\n")
        status = self.deploy(patched, "unknown", other, limit=1000)
        self.assertEqual(status, "ROLLBACK_COMPLETE")


class StreamPersistence(unittest.TestCase):
    def test_a_record_written_after_a_restart_reaches_its_reader(self) -> None:
        def reads_on(*arguments: str) -> bool:
            emulator = MiniStack(*arguments)
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
