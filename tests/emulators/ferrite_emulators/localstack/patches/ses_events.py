"""Publishes "Email Sent" events to the default event bus.

AWS: if the configuration set of an e-mail has an enabled EventBridge event destination for `send`, SES
publishes an "Email Sent" event with the message tags ("Monitoring SES events using Amazon EventBridge" and
"Contents of event data that Amazon SES publishes to Amazon SNS", Amazon SES Developer Guide).
LocalStack: supports only SNS event destinations. This patch covers SendEmail of the v1 API.
Delete this patch when LocalStack publishes "Email Sent" events to EventBridge.
"""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from email.utils import parseaddr
from typing import Any

PUBLISH_DELAY_SECONDS = 0.1
"""As on AWS, the event is published after the sender receives its response."""


def apply() -> None:
    """Publishes an event after each accepted request if its configuration set requires one."""
    from localstack.services.ses.provider import SesProvider
    from localstack.utils.patch import patch

    @patch(SesProvider.send_email)
    def send_and_publish(send: Any, provider: Any, context: Any, **request: Any) -> Any:
        response = send(provider, context, **request)
        configuration_set = request.get("configuration_set_name") or ""
        if _publishes(context.account_id, context.region, configuration_set):
            event = _email_sent(context, request, response["MessageId"])
            threading.Timer(
                PUBLISH_DELAY_SECONDS, _publish, (context.account_id, context.region, event)
            ).start()
        return response


def _publishes(account: str, region: str, configuration_set: str) -> bool:
    from ..email_resources import event_destinations

    # SES publishes only to the default bus and rejects event destinations with another one.
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
    arn_prefix = f"arn:aws:ses:{context.region}:{context.account_id}"
    configuration_set = request["configuration_set_name"]
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    recipients = [each for kind in request["destination"].values() for each in kind]
    sender = request["source"]
    subject = request["message"]["Subject"]["Data"]
    to = request["destination"].get("ToAddresses", [])
    mail = {
        "timestamp": now.replace("+00:00", "Z"),
        "source": sender,
        "sourceArn": f"{arn_prefix}:identity/{parseaddr(sender)[1]}",
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
        "Resources": [f"{arn_prefix}:configuration-set/{configuration_set}"],
        "Detail": json.dumps({"eventType": "Send", "mail": mail, "send": {}}),
    }
