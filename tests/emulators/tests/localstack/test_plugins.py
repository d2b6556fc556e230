"""Tests the plug-ins and patches through the AWS APIs.

Each test fails without the plug-in or patch that its class names.
"""

from __future__ import annotations

import json
import unittest
from typing import Any

from botocore.exceptions import ClientError

from ..emulator import wait_until
from .emulator import LocalStack

emulator: LocalStack


def setUpModule() -> None:
    global emulator
    emulator = LocalStack()
    unittest.addModuleCleanup(emulator.close)
    emulator.deploy()


class GatewayResponses(unittest.TestCase):
    """gateway_responses."""

    def test_returns_the_configured_response_for_an_unknown_route(self) -> None:
        status, _, body = emulator.api("GET", "/nowhere")
        self.assertEqual((status, json.loads(body)), (404, {"title": "Not found"}))

    def test_sets_headers_and_substitutes_context_variables(self) -> None:
        status, headers, body = emulator.api("GET", "/protected")
        self.assertEqual((status, headers["content-type"]), (401, "application/problem+json"))
        self.assertEqual(headers["www-authenticate"], "Bearer")
        self.assertRegex(json.loads(body)["request"], "^[0-9a-f-]{36}$")

    def test_sets_a_header_to_the_value_of_a_request_header(self) -> None:
        allowed = "access-control-allow-origin"
        for name in ("Origin", "origin"):
            _, headers, _ = emulator.api("GET", "/nowhere", None, {name: "https://app.example"})
            self.assertEqual(headers[allowed], "https://app.example")
        self.assertNotIn(allowed, emulator.api("GET", "/nowhere")[1])

    def test_falls_back_to_the_default_4xx_response(self) -> None:
        status, _, body = emulator.api("GET", "/protected", None, {"Authorization": "Deny"})
        title = "User is not authorized to access this resource with an explicit deny"
        expected = {"type": "ACCESS_DENIED", "title": title}
        self.assertEqual((status, json.loads(body)), (403, expected))


class UnknownRoutes(unittest.TestCase):
    """unknown_routes."""

    def test_reads_a_bearer_token_for_an_unknown_route_as_a_signature(self) -> None:
        bearer = {"Authorization": "Bearer header.claims.signature"}
        for method, path in (("GET", "/nowhere"), ("DELETE", "/open")):
            status, headers, body = emulator.api(method, path, None, bearer)
            self.assertEqual(status, 403)
            self.assertEqual(headers["x-amzn-errortype"], "IncompleteSignatureException")
            self.assertEqual(json.loads(body)["type"], "DEFAULT_4XX")
        self.assertEqual(emulator.api("GET", "/open", None, bearer)[0], 200)


class Authorizers(unittest.TestCase):
    """request_authorizers."""

    def get(self, path: str, token: str) -> tuple[int, bytes]:
        status, _, body = emulator.api("GET", path, None, {"Authorization": token})
        return status, body

    def authorizer_invocations(self) -> int:
        return list(emulator.log_lines("Authorizer")).count("authorizer invoked")

    def test_allows_requests_to_a_route_without_an_authorizer(self) -> None:
        self.assertEqual(emulator.api("GET", "/open")[0], 200)

    def test_returns_401_without_a_token_and_does_not_invoke_the_authorizer(self) -> None:
        before = self.authorizer_invocations()
        self.assertEqual(emulator.api("GET", "/protected")[0], 401)
        self.assertEqual(self.authorizer_invocations(), before)

    def test_passes_the_authorizer_context_as_strings(self) -> None:
        status, event = self.get("/protected", "Allow")
        self.assertEqual(status, 200)
        authorizer = json.loads(event)["requestContext"]["authorizer"]
        expected = {"principalId": "ada", "admin": "true", "requested": "/protected"}
        self.assertEqual(authorizer, expected)

    def test_caches_the_authorizer_response_by_token(self) -> None:
        self.assertEqual(self.get("/protected", "Allow")[0], 200)
        before = self.authorizer_invocations()
        self.assertEqual(self.get("/protected", "Allow")[0], 200)
        self.assertEqual(self.authorizer_invocations(), before)

    def test_returns_403_without_an_allow_statement(self) -> None:
        self.assertEqual(self.get("/protected", "Deny")[0], 403)
        self.assertEqual(self.get("/protected", "Neither")[0], 403)

    def test_returns_401_if_the_authorizer_rejects_the_token(self) -> None:
        self.assertEqual(self.get("/protected", "invalid")[0], 401)


class Tables(unittest.TestCase):
    """providers, tables."""

    def setUp(self) -> None:
        self.client = emulator.client("dynamodb")
        self.table = {"TableName": emulator.outputs["Table"]}

    def test_stores_an_item_and_checks_the_condition(self) -> None:
        item = {"pk": {"S": "once"}, "number": {"N": "1"}}
        condition = {"ConditionExpression": "attribute_not_exists(pk)"}
        self.client.put_item(**self.table, Item=item, **condition)
        with self.assertRaises(self.client.exceptions.ConditionalCheckFailedException):
            self.client.put_item(**self.table, Item=item, **condition)
        self.assertEqual(
            self.client.get_item(**self.table, Key={"pk": {"S": "once"}})["Item"], item
        )

    def test_a_failed_transaction_writes_nothing(self) -> None:
        def put(key: str, condition: str) -> dict[str, Any]:
            item = {"pk": {"S": key}}
            return {"Put": {**self.table, "Item": item, "ConditionExpression": condition}}

        writes = [put("a", "attribute_not_exists(pk)"), put("b", "attribute_exists(pk)")]
        with self.assertRaises(self.client.exceptions.TransactionCanceledException) as caught:
            self.client.transact_write_items(TransactItems=writes)
        reasons = [reason["Code"] for reason in caught.exception.response["CancellationReasons"]]
        self.assertEqual(reasons, ["None", "ConditionalCheckFailed"])
        self.assertNotIn("Item", self.client.get_item(**self.table, Key={"pk": {"S": "a"}}))

    def test_invokes_the_stream_reader_for_a_change(self) -> None:
        self.client.put_item(**self.table, Item={"pk": {"S": "streamed"}})

        def is_read() -> bool:
            return any('"streamed"' in line for line in emulator.log_lines("Reader"))

        self.assertTrue(wait_until(is_read))

    def test_enables_the_time_to_live_from_the_template(self) -> None:
        described = self.client.describe_time_to_live(**self.table)["TimeToLiveDescription"]
        self.assertEqual(described["TimeToLiveStatus"], "ENABLED")


class Stacks(unittest.TestCase):
    """catalog."""

    def test_rejects_a_stack_with_an_unsupported_resource_type(self) -> None:
        cloudformation = emulator.client("cloudformation")
        template = {"Resources": {"Queue": {"Type": "AWS::Batch::JobQueue", "Properties": {}}}}
        cloudformation.create_change_set(
            StackName="rejected",
            ChangeSetName="create",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps(template),
        )

        def is_rejected() -> bool:
            change_set = cloudformation.describe_change_set(
                StackName="rejected", ChangeSetName="create"
            )
            return "AWS::Batch::JobQueue" in change_set.get("StatusReason", "")

        self.assertTrue(wait_until(is_rejected))


class Objects(unittest.TestCase):
    """s3_anonymous."""

    def test_returns_an_object_only_for_a_presigned_url(self) -> None:
        s3 = emulator.client("s3")
        name = {"Bucket": emulator.outputs["Bucket"], "Key": "object"}
        s3.put_object(**name, Body=b"x")
        path = f"/{name['Bucket']}/object"
        status, _, body = emulator.http("GET", path)
        self.assertEqual(status, 403)
        self.assertIn(b"<Code>AccessDenied</Code>", body)
        url = s3.generate_presigned_url("get_object", Params=name)
        query = url[url.index("?") :]
        self.assertEqual(emulator.http("GET", path + query)[0], 200)
        self.assertEqual(emulator.http("GET", path + query + "0")[0], 403)


class Emails(unittest.TestCase):
    """email_identity, email_resources, ses_events, ses_validation."""

    def send(self, recipient: str, **kwargs: Any) -> dict[str, Any]:
        """Sends an e-mail from the template's sender. Returns the response, or the error if SES rejects it."""
        try:
            response: dict[str, Any] = emulator.client("ses").send_email(
                Source="Sender <sender@example.com>",
                Destination={"ToAddresses": [recipient]},
                Message={"Subject": {"Data": "Welcome"}, "Body": {"Text": {"Data": "Hello"}}},
                **kwargs,
            )
            return response
        except ClientError as error:
            details: dict[str, Any] = dict(error.response["Error"])
            return details

    def receive_events(self, tag: str, number: int) -> list[dict[str, Any]]:
        """Returns the events with this value of the message tag "event" when there are `number` of them."""
        receive = emulator.client("sqs").receive_message
        events: list[dict[str, Any]] = []

        def received() -> bool:
            messages = receive(QueueUrl=emulator.outputs["SesEvents"]).get("Messages", [])
            for event in (json.loads(message["Body"]) for message in messages):
                if event["detail"]["mail"]["tags"].get("event") == [tag]:
                    events.append(event)
            return len(events) >= number

        self.assertTrue(wait_until(received), events)
        return events

    def test_publishes_an_event_for_an_accepted_email(self) -> None:
        emails = emulator.outputs["Emails"]
        tags = [{"Name": "event", "Value": "event_1-1"}]
        self.send("plain@example.org", Tags=tags)
        response = self.send("ada@example.org", ConfigurationSetName=emails, Tags=tags)
        [event] = self.receive_events("event_1-1", 1)
        self.assertEqual((event["source"], event["detail-type"]), ("aws.ses", "Email Sent"))
        arn = f"arn:aws:ses:us-east-1:{event['account']}:configuration-set/{emails}"
        self.assertEqual(event["resources"], [arn])
        mail = event["detail"]["mail"]
        self.assertEqual(event["detail"]["eventType"], "Send")
        self.assertEqual(mail["messageId"], response["MessageId"])
        self.assertEqual(mail["destination"], ["ada@example.org"])
        expected = {"ses:configuration-set": [emails], "event": ["event_1-1"]}
        self.assertEqual(mail["tags"], expected)

    def test_publishes_the_bounces_and_complaints_of_the_mailbox_simulator(self) -> None:
        names = ("success", "complaint+a", "bounce+b")
        tags = [{"Name": "event", "Value": "simulator"}]
        emails = {"ConfigurationSetName": emulator.outputs["Emails"], "Tags": tags}
        recipients = {name: f"{name}@simulator.amazonses.com" for name in names}
        sent = {name: self.send(recipients[name], **emails)["MessageId"] for name in names}
        events = {
            (event["detail-type"], event["detail"]["mail"]["messageId"]): event["detail"]
            for event in self.receive_events("simulator", 5)
        }
        bounced = ("Email Bounced", sent["bounce+b"])
        complained = ("Email Complaint Received", sent["complaint+a"])
        expected = [("Email Sent", message_id) for message_id in sent.values()]
        self.assertCountEqual(events, [*expected, bounced, complained])
        self.assertEqual(events[bounced]["bounce"]["bounceType"], "Permanent")
        [recipient] = events[bounced]["bounce"]["bouncedRecipients"]
        self.assertEqual(recipient["emailAddress"], recipients["bounce+b"])
        self.assertEqual(
            events[complained]["complaint"]["complainedRecipients"],
            [{"emailAddress": recipients["complaint+a"]}],
        )

    def test_publishes_only_the_types_of_the_event_destination(self) -> None:
        tags = [{"Name": "event", "Value": "types"}]
        bounces = {"ConfigurationSetName": emulator.outputs["Bounces"], "Tags": tags}
        for name in ("complaint", "bounce"):
            self.assertIn("MessageId", self.send(f"{name}@simulator.amazonses.com", **bounces))
        [event] = self.receive_events("types", 1)
        self.assertEqual(event["detail-type"], "Email Bounced")

    def test_rejects_invalid_recipients(self) -> None:
        for recipient in ("ada..b@example.org", ".ada@example.org", "ada b@example.org", "ada"):
            self.assertEqual(self.send(recipient).get("Code"), "InvalidParameterValue", recipient)
        for domain in ("-x.example", "x-.example", "x.-y.example", "x.example-"):
            self.assertEqual(
                self.send(f"ada@{domain}").get("Message"), "Domain contains illegal character", domain
            )
        for recipient in ("Ada B. <ada.b@example.org>", "-ada-@x-1.xn--y.example"):
            self.assertIn("MessageId", self.send(recipient))
