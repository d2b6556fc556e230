"""Tells the default event bus of each e-mail that SES accepts.

An e-mail sent with a configuration set that has an event destination of type EventBridge for `send` is
followed by "Email Sent" on the default bus, with the e-mail's message tags ("Monitoring SES events using
Amazon EventBridge" and "Contents of event data that Amazon SES publishes to Amazon SNS", Amazon SES
Developer Guide). LocalStack has destinations of type SNS alone. Here for SendEmail of the v1 API.
"""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from email.utils import parseaddr
from typing import Any

AFTER_THE_ANSWER_SECONDS = 0.1
"""The sender has its answer first, as on AWS; code that needs the event sooner would fail there."""


def apply() -> None:
    """Publishes after each accepted request, to the destinations that its configuration set then has."""
    from localstack.services.ses.provider import SesProvider
    from localstack.utils.patch import patch

    @patch(SesProvider.send_email)
    def and_event(send: Any, provider: Any, context: Any, **request: Any) -> Any:
        answer = send(provider, context, **request)
        configuration_set = request.get("configuration_set_name") or ""
        if _publishes(context.account_id, context.region, configuration_set):
            event = _email_sent(context, request, answer["MessageId"])
            threading.Timer(
                AFTER_THE_ANSWER_SECONDS, _publish, (context.account_id, context.region, event)
            ).start()
        return answer


def _publishes(account: str, region: str, configuration_set: str) -> bool:
    from ..email_resources import event_destinations

    # SES publishes to no other bus, and refuses a destination that names one.
    bus = f"arn:aws:events:{region}:{account}:event-bus/default"
    return any(
        destination.get("Enabled")
        and "send" in destination.get("MatchingEventTypes", [])
        and destination.get("EventBridgeDestination", {}).get("EventBusArn") == bus
        for destination in event_destinations.get((account, region, configuration_set), {}).values()
    )


def _publish(account: str, region: str, event: dict[str, Any]) -> None:
    from localstack.aws.connect import connect_to

    connect_to(aws_access_key_id=account, region_name=region).events.put_events(Entries=[event])


def _email_sent(context: Any, request: dict[str, Any], message_id: str) -> dict[str, Any]:
    owned = f"arn:aws:ses:{context.region}:{context.account_id}"
    configuration_set = request["configuration_set_name"]
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    recipients = [each for kind in request["destination"].values() for each in kind]
    sender, subject = request["source"], request["message"]["Subject"]["Data"]
    to = request["destination"].get("ToAddresses", [])
    mail = {
        "timestamp": now.replace("+00:00", "Z"),
        "source": sender,
        "sourceArn": f"{owned}:identity/{parseaddr(sender)[1]}",
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
            "ses:configuration-set": [configuration_set],
            **{tag["Name"]: [tag["Value"]] for tag in request.get("tags") or []},
        },
    }
    return {
        "Source": "aws.ses",
        "DetailType": "Email Sent",
        "Resources": [f"{owned}:configuration-set/{configuration_set}"],
        "Detail": json.dumps({"eventType": "Send", "mail": mail, "send": {}}),
    }
