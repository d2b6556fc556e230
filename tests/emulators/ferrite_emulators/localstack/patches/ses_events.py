"""Publishes the events of e-mails to the default event bus.

AWS: if the configuration set of an e-mail has an enabled EventBridge event destination, SES publishes the
types of events that this destination lists, with the message tags ("Monitoring SES events using Amazon
EventBridge" and "Contents of event data that Amazon SES publishes to Amazon SNS", Amazon SES Developer Guide).
An e-mail to `bounce@simulator.amazonses.com` or `suppressionlist@` bounces and one to `complaint@` causes a
complaint, also with a label such as `bounce+label@` ("Using the mailbox simulator manually", same guide).
LocalStack: supports only SNS event destinations and has no mailbox simulator. This patch covers "Email Sent",
"Email Bounced" and "Email Complaint Received" events of SendEmail of the v1 API.
Delete this patch when LocalStack publishes these events to EventBridge.
"""

from __future__ import annotations

import threading
from email.utils import parseaddr
from typing import Any

from ferrite_emulators.email_events import email_events, utc_timestamp

PUBLISH_DELAY_SECONDS = 0.1
"""As on AWS, events are published after the sender receives its response."""


def apply() -> None:
    """After each accepted request, publishes the events that its configuration set requires."""
    from localstack.services.ses.provider import SesProvider
    from localstack.utils.patch import patch

    @patch(SesProvider.send_email)
    def send_and_publish(send: Any, provider: Any, context: Any, **request: Any) -> Any:
        response = send(provider, context, **request)
        configuration_set = request.get("configuration_set_name") or ""
        if event_types := _event_types(context.account_id, context.region, configuration_set):
            mail = _mail(context, request, response["MessageId"])
            arn = f"{_arn_prefix(context)}:configuration-set/{configuration_set}"
            entries = email_events(mail, event_types, arn)
            threading.Timer(
                PUBLISH_DELAY_SECONDS, _publish, (context.account_id, context.region, entries)
            ).start()
        return response


def _event_types(account: str, region: str, configuration_set: str) -> set[str]:
    """The types of events that the event destinations of a configuration set publish to the default bus."""
    from ..email_resources import event_destinations

    # SES publishes only to the default bus and rejects event destinations with another one.
    bus = f"arn:aws:events:{region}:{account}:event-bus/default"
    destinations = event_destinations.get((account, region, configuration_set), {})
    return {
        event_type.upper()
        for destination in destinations.values()
        if destination.get("Enabled")
        and destination.get("EventBridgeDestination", {}).get("EventBusArn") == bus
        for event_type in destination.get("MatchingEventTypes", [])
    }


def _publish(account: str, region: str, entries: list[dict[str, Any]]) -> None:
    from localstack.aws.connect import connect_to

    events = connect_to(aws_access_key_id=account, region_name=region).events
    for entry in entries:
        events.put_events(Entries=[entry])


def _arn_prefix(context: Any) -> str:
    return f"arn:aws:ses:{context.region}:{context.account_id}"


def _mail(context: Any, request: dict[str, Any], message_id: str) -> dict[str, Any]:
    recipients = [each for kind in request["destination"].values() for each in kind]
    sender = request["source"]
    subject = request["message"]["Subject"]["Data"]
    to = request["destination"].get("ToAddresses", [])
    return {
        "timestamp": utc_timestamp(),
        "source": sender,
        "sourceArn": f"{_arn_prefix(context)}:identity/{parseaddr(sender)[1]}",
        "sendingAccountId": context.account_id,
        "messageId": message_id,
        "destination": [parseaddr(each)[1] for each in recipients],
        "headersTruncated": False,
        "headers": [
            {"name": "From", "value": sender},
            {"name": "To", "value": ", ".join(to)},
            {"name": "Subject", "value": subject},
        ],
        "commonHeaders": {
            "from": [sender],
            "to": to,
            "messageId": message_id,
            "subject": subject,
        },
        "tags": {
            "ses:configuration-set": [request["configuration_set_name"]],
            **{tag["Name"]: [tag["Value"]] for tag in request.get("tags") or []},
        },
    }
