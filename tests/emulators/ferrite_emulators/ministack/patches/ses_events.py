"""Tells the default event bus of each e-mail that SES accepts.

An e-mail sent with a configuration set that has an event destination of type EventBridge for `send` is
followed by "Email Sent" on the default bus, with the e-mail's message tags ("Monitoring SES events using
Amazon EventBridge" and "Contents of event data that Amazon SES publishes to Amazon SNS", Amazon SES
Developer Guide). MiniStack keeps such a destination, a template's too, but never publishes to it and
drops the tags. Here for SendEmail and SendRawEmail of the v1 API, with the headers that MiniStack keeps.
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

AFTER_THE_ANSWER_SECONDS = 0.1
"""The sender has its answer first, as on AWS; code that needs the event sooner would fail there."""

Sent = dict[str, Any]
"""What MiniStack keeps of an e-mail that it has accepted."""


def apply() -> None:
    """Publishes after each accepted request, to the destinations that its configuration set then has."""
    from ministack.services import eventbridge, ses, ses_v2

    def and_events(send: Any) -> Any:
        def _send(params: dict[str, Any]) -> Any:
            before = len(ses._sent_emails_list())
            answer = send(params)
            if _publishes(ses._p(params, "ConfigurationSetName")):
                for sent in ses._sent_emails_list()[before:]:
                    asyncio.get_running_loop().call_later(
                        AFTER_THE_ANSWER_SECONDS,
                        partial(eventbridge._put_events, allow_aws_source=True),
                        {"Entries": [_email_sent(sent, params)]},
                    )
            return answer

        return _send

    require(ses, "_p", "_collect_list", "_notification_identity", "_sent_emails_list")
    require(ses_v2, "_config_sets", "_resource_arn")
    require(eventbridge, "_put_events")
    replace(ses, "_send_email", and_events)
    replace(ses, "_send_raw_email", and_events)


def _publishes(configuration_set: str) -> bool:
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import ses_v2

    # SES publishes to no other bus, and refuses a destination that names one.
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
