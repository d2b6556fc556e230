"""Everything that LocalStack's free edition lacks, as whoever uses AWS sees it.

Each test fails without the plug-in or the patch that its class names.
"""

from __future__ import annotations

import json
import unittest
from typing import Any

from botocore.exceptions import ClientError

from ..emulator import until
from .emulator import LocalStack

emulator: LocalStack


def setUpModule() -> None:
    global emulator
    emulator = LocalStack()
    unittest.addModuleCleanup(emulator.close)
    emulator.deploy()


class GatewayResponses(unittest.TestCase):
    """gateway_responses."""

    def test_an_unknown_route_gets_the_templates_answer(self) -> None:
        status, _, body = emulator.api("GET", "/nowhere")
        self.assertEqual((status, json.loads(body)), (404, {"title": "Not found"}))

    def test_a_header_and_a_variable_of_the_request_are_filled_in(self) -> None:
        status, headers, body = emulator.api("GET", "/guarded")
        self.assertEqual((status, headers["content-type"]), (401, "application/problem+json"))
        self.assertEqual(headers["www-authenticate"], "Bearer")
        self.assertRegex(json.loads(body)["request"], "^[0-9a-f-]{36}$")

    def test_a_type_without_an_answer_of_its_own_gets_the_default(self) -> None:
        status, _, body = emulator.api("GET", "/guarded", None, {"Authorization": "Deny"})
        title = "User is not authorized to access this resource with an explicit deny"
        expected = {"type": "ACCESS_DENIED", "title": title}
        self.assertEqual((status, json.loads(body)), (403, expected))


class Authorizers(unittest.TestCase):
    """request_authorizers."""

    def get(self, path: str, token: str) -> tuple[int, bytes]:
        status, _, body = emulator.api("GET", path, None, {"Authorization": token})
        return status, body

    def asked(self) -> int:
        return list(emulator.printed("Authorizer")).count("asked")

    def test_a_route_without_an_authorizer_is_open(self) -> None:
        self.assertEqual(emulator.api("GET", "/open")[0], 200)

    def test_without_a_token_nobody_is_asked(self) -> None:
        before = self.asked()
        self.assertEqual(emulator.api("GET", "/guarded")[0], 401)
        self.assertEqual(self.asked(), before)

    def test_who_is_allowed_comes_with_the_authorizers_context_as_strings(self) -> None:
        status, event = self.get("/guarded", "Allow")
        self.assertEqual(status, 200)
        authorizer = json.loads(event)["requestContext"]["authorizer"]
        expected = {"principalId": "ada", "admin": "true", "asked": "/guarded"}
        self.assertEqual(authorizer, expected)

    def test_an_answer_is_kept_for_its_token(self) -> None:
        self.assertEqual(self.get("/guarded", "Allow")[0], 200)
        before = self.asked()
        self.assertEqual(self.get("/guarded", "Allow")[0], 200)
        self.assertEqual(self.asked(), before)

    def test_what_is_denied_or_not_mentioned_is_refused(self) -> None:
        self.assertEqual(self.get("/guarded", "Deny")[0], 403)
        self.assertEqual(self.get("/guarded", "Neither")[0], 403)

    def test_an_authorizer_may_say_that_a_token_is_none(self) -> None:
        self.assertEqual(self.get("/guarded", "nonsense")[0], 401)


class Tables(unittest.TestCase):
    """The providers of DynamoDB and DynamoDB Streams."""

    def setUp(self) -> None:
        self.client = emulator.client("dynamodb")
        self.table = {"TableName": emulator.outputs["Table"]}

    def test_an_item_reads_back_and_a_condition_holds(self) -> None:
        item = {"pk": {"S": "once"}, "number": {"N": "1"}}
        condition = {"ConditionExpression": "attribute_not_exists(pk)"}
        self.client.put_item(**self.table, Item=item, **condition)
        with self.assertRaises(self.client.exceptions.ConditionalCheckFailedException):
            self.client.put_item(**self.table, Item=item, **condition)
        self.assertEqual(
            self.client.get_item(**self.table, Key={"pk": {"S": "once"}})["Item"], item
        )

    def test_a_transaction_is_whole_or_not_at_all(self) -> None:
        def put(key: str, condition: str) -> dict[str, Any]:
            item = {"pk": {"S": key}}
            return {"Put": {**self.table, "Item": item, "ConditionExpression": condition}}

        writes = [put("a", "attribute_not_exists(pk)"), put("b", "attribute_exists(pk)")]
        with self.assertRaises(self.client.exceptions.TransactionCanceledException) as caught:
            self.client.transact_write_items(TransactItems=writes)
        reasons = [reason["Code"] for reason in caught.exception.response["CancellationReasons"]]
        self.assertEqual(reasons, ["None", "ConditionalCheckFailed"])
        self.assertNotIn("Item", self.client.get_item(**self.table, Key={"pk": {"S": "a"}}))

    def test_a_change_reaches_the_streams_reader(self) -> None:
        self.client.put_item(**self.table, Item={"pk": {"S": "streamed"}})
        self.assertTrue(until(lambda: any('"streamed"' in x for x in emulator.printed("Reader"))))

    def test_the_time_to_live_of_a_template_is_on(self) -> None:
        described = self.client.describe_time_to_live(**self.table)["TimeToLiveDescription"]
        self.assertEqual(described["TimeToLiveStatus"], "ENABLED")


class Stacks(unittest.TestCase):
    """The catalog."""

    def test_a_stack_with_what_nobody_can_create_is_refused(self) -> None:
        stacks = emulator.client("cloudformation")
        template = {"Resources": {"Queue": {"Type": "AWS::Batch::JobQueue", "Properties": {}}}}
        stacks.create_change_set(
            StackName="refused",
            ChangeSetName="create",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps(template),
        )

        def refused() -> bool:
            seen = stacks.describe_change_set(StackName="refused", ChangeSetName="create")
            return "AWS::Batch::JobQueue" in seen.get("StatusReason", "")

        self.assertTrue(until(refused))


class Objects(unittest.TestCase):
    """s3_anonymous."""

    def test_an_object_is_for_whoever_has_a_signed_link(self) -> None:
        s3 = emulator.client("s3")
        name = {"Bucket": emulator.outputs["Bucket"], "Key": "picture"}
        s3.put_object(**name, Body=b"x")
        path = f"/{name['Bucket']}/picture"
        status, _, body = emulator.http("GET", path)
        self.assertEqual(status, 403)
        self.assertIn(b"<Code>AccessDenied</Code>", body)
        link = s3.generate_presigned_url("get_object", Params=name)
        self.assertEqual(emulator.http("GET", path + link[link.index("?") :])[0], 200)
        self.assertEqual(emulator.http("GET", path + link[link.index("?") :] + "0")[0], 403)


class Emails(unittest.TestCase):
    """email_identity, email_resources, ses_events, ses_validation."""

    def send(self, recipient: str, **rest: Any) -> dict[str, Any]:
        """SES's answer to an e-mail with the template's sender; the error when it refuses."""
        try:
            answer: dict[str, Any] = emulator.client("ses").send_email(
                Source="Shop <shop@example.com>",
                Destination={"ToAddresses": [recipient]},
                Message={"Subject": {"Data": "Welcome"}, "Body": {"Text": {"Data": "Hello"}}},
                **rest,
            )
            return answer
        except ClientError as error:
            refusal: dict[str, Any] = dict(error.response["Error"])
            return refusal

    def test_an_accepted_email_is_told_of_on_the_default_bus(self) -> None:
        emails = emulator.outputs["Emails"]
        tags = [{"Name": "event", "Value": "cus_1-1"}]
        self.send("plain@example.org")
        answer = self.send("ada@example.org", ConfigurationSetName=emails, Tags=tags)
        receive = emulator.client("sqs").receive_message
        events: list[dict[str, Any]] = []

        def told() -> bool:
            messages = receive(QueueUrl=emulator.outputs["EmailsSent"]).get("Messages", [])
            events.extend(json.loads(message["Body"]) for message in messages)
            return bool(events)

        self.assertTrue(until(told))
        [event] = events
        self.assertEqual((event["source"], event["detail-type"]), ("aws.ses", "Email Sent"))
        arn = f"arn:aws:ses:us-east-1:{event['account']}:configuration-set/{emails}"
        self.assertEqual(event["resources"], [arn])
        mail = event["detail"]["mail"]
        self.assertEqual(event["detail"]["eventType"], "Send")
        self.assertEqual(mail["messageId"], answer["MessageId"])
        self.assertEqual(mail["destination"], ["ada@example.org"])
        expected = {"ses:configuration-set": [emails], "event": ["cus_1-1"]}
        self.assertEqual(mail["tags"], expected)

    def test_what_cannot_be_a_recipient_is_refused(self) -> None:
        for recipient in ("ada..b@example.org", ".ada@example.org", "ada b@example.org", "ada"):
            self.assertEqual(self.send(recipient).get("Code"), "InvalidParameterValue", recipient)
        self.assertIn("MessageId", self.send("Ada B. <ada.b@example.org>"))
