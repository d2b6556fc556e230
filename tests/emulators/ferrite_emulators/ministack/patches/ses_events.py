"""Publishes "Email Sent" events to the default event bus.

AWS: if the configuration set of an e-mail has an enabled EventBridge event destination for `send`, SES
publishes an "Email Sent" event with the message tags ("Monitoring SES events using Amazon EventBridge" and
"Contents of event data that Amazon SES publishes to Amazon SNS", Amazon SES Developer Guide).
MiniStack: stores such an event destination, also from a template, but publishes no event and drops the
message tags. This patch covers SendEmail and SendRawEmail of the v1 API. The events contain only the headers
that MiniStack stores.
Delete this patch when MiniStack publishes "Email Sent" events with message tags.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parseaddr
from functools import partial
from typing import Any

from .replacement import replace, require

PUBLISH_DELAY_SECONDS = 0.1
"""As on AWS, the event is published after the sender receives its response."""

Sent = dict[str, Any]
"""MiniStack's record of an e-mail that it accepted."""


def apply() -> None:
    """Publishes an event after each accepted request if its configuration set requires one."""
    from ministack.services import eventbridge, ses, ses_v2

    def with_events(send: Any) -> Any:
        def _send(params: dict[str, Any]) -> Any:
            before = len(ses._sent_emails_list())
            response = send(params)
            if _publishes(ses._p(params, "ConfigurationSetName")):
                for sent in ses._sent_emails_list()[before:]:
                    asyncio.get_running_loop().call_later(
                        PUBLISH_DELAY_SECONDS,
                        partial(eventbridge._put_events, allow_aws_source=True),
                        {"Entries": [_email_sent(sent, params)]},
                    )
            return response

        return _send

    require(ses, "_p", "_collect_list", "_notification_identity", "_sent_emails_list")
    require(ses_v2, "_config_sets", "_resource_arn")
    require(eventbridge, "_put_events")
    replace(ses, "_send_email", with_events)
    replace(ses, "_send_raw_email", with_events)


def _publishes(configuration_set: str) -> bool:
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import ses_v2

    # SES publishes only to the default bus and rejects event destinations with another one.
    bus = f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/default"
    destinations = ses_v2._config_sets.get(configuration_set, {}).get("EventDestinations") or {}
    return any(
        destination.get("Enabled")
        and "SEND" in destination.get("MatchingEventTypes", [])
        and destination.get("EventBridgeDestination", {}).get("EventBusArn") == bus
        for destination in destinations.values()
    )


def _email_sent(sent: Sent, params: dict[str, Any]) -> dict[str, Any]:
    from ministack.services import ses, ses_v2

    configuration_set = ses._p(params, "ConfigurationSetName")
    tags = {"ses:configuration-set": [configuration_set], **dict(_message_tags(params))}
    detail = {"eventType": "Send", "mail": {**_mail(sent, params), "tags": tags}, "send": {}}
    return {
        "Source": "aws.ses",
        "DetailType": "Email Sent",
        "Resources": [ses_v2._resource_arn("configuration-set", configuration_set)],
        "Detail": json.dumps(detail),
    }


def _message_tags(params: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    from ministack.services import ses

    number = 1
    while name := ses._p(params, f"Tags.member.{number}.Name"):
        yield name, [ses._p(params, f"Tags.member.{number}.Value")]
        number += 1


def _mail(sent: Sent, params: dict[str, Any]) -> dict[str, Any]:
    from ministack.core.responses import get_account_id
    from ministack.services import ses, ses_v2

    recipients = ses._collect_list(params, "Destinations.member")
    timestamp = datetime.fromtimestamp(sent["Timestamp"], timezone.utc).isoformat(
        timespec="milliseconds"
    )
    mail = {
        "timestamp": timestamp.replace("+00:00", "Z"),
        "source": sent["Source"],
        "sendingAccountId": get_account_id(),
        "messageId": sent["MessageId"],
        "destination": [
            parseaddr(each)[1] for each in recipients or sent["To"] + sent["CC"] + sent["BCC"]
        ],
        "headersTruncated": False,
        "headers": [
            {"name": name, "value": value}
            for name, value in (
                ("From", sent["Source"]),
                ("To", ", ".join(sent["To"])),
                ("Cc", ", ".join(sent["CC"])),
                ("Subject", sent["Subject"]),
            )
            if value
        ],
        "commonHeaders": {
            "from": [sent["Source"]],
            "to": sent["To"],
            "messageId": sent["MessageId"],
            "subject": sent["Subject"],
        },
    }
    if identity := ses._notification_identity(sent["Source"]):
        mail["sourceArn"] = ses_v2._resource_arn("identity", identity[0])
    return mail
