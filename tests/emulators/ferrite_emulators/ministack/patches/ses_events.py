"""Publishes the events of e-mails to the default event bus.

AWS: if the configuration set of an e-mail has an enabled EventBridge event destination, SES publishes the
types of events that this destination lists, with the message tags ("Monitoring SES events using Amazon
EventBridge" and "Contents of event data that Amazon SES publishes to Amazon SNS", Amazon SES Developer Guide).
An e-mail to `bounce@simulator.amazonses.com` or `suppressionlist@` bounces and one to `complaint@` causes a
complaint, also with a label such as `bounce+label@` ("Using the mailbox simulator manually", same guide).
MiniStack: stores such an event destination, also from a template, but publishes no event and drops the
message tags. For the mailbox simulator, it only notifies SNS topics of identities. This patch covers "Email
Sent", "Email Bounced" and "Email Complaint Received" events of SendEmail and SendRawEmail of the v1 API. The
events contain only the headers that MiniStack stores.
Delete this patch when MiniStack publishes these events with message tags.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parseaddr
from functools import partial
from typing import Any

from ferrite_emulators.email_events import email_events, utc_timestamp

from .replacement import replace, require

PUBLISH_DELAY_SECONDS = 0.1
"""As on AWS, events are published after the sender receives its response."""

Sent = dict[str, Any]
"""MiniStack's record of an e-mail that it accepted."""


def apply() -> None:
    """After each accepted request, publishes the events that its configuration set requires."""
    from ministack.services import eventbridge, ses, ses_v2

    def with_events(send: Any) -> Any:
        def _send(params: dict[str, Any]) -> Any:
            before = len(ses._sent_emails_list())
            response = send(params)
            configuration_set = ses._p(params, "ConfigurationSetName")
            if event_types := _event_types(configuration_set):
                arn = ses_v2._resource_arn("configuration-set", configuration_set)
                for sent in ses._sent_emails_list()[before:]:
                    for event in email_events(_mail(sent, params), event_types, arn):
                        asyncio.get_running_loop().call_later(
                            PUBLISH_DELAY_SECONDS,
                            partial(eventbridge._put_events, allow_aws_source=True),
                            {"Entries": [event]},
                        )
            return response

        return _send

    require(ses, "_p", "_collect_list", "_notification_identity", "_sent_emails_list")
    require(ses_v2, "_config_sets", "_resource_arn")
    require(eventbridge, "_put_events")
    replace(ses, "_send_email", with_events)
    replace(ses, "_send_raw_email", with_events)


def _event_types(configuration_set: str) -> set[str]:
    """The types of events that the event destinations of a configuration set publish to the default bus."""
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import ses_v2

    # SES publishes only to the default bus and rejects event destinations with another one.
    bus = f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/default"
    destinations = ses_v2._config_sets.get(configuration_set, {}).get("EventDestinations") or {}
    return {
        event_type
        for destination in destinations.values()
        if destination.get("Enabled")
        and destination.get("EventBridgeDestination", {}).get("EventBusArn") == bus
        for event_type in destination.get("MatchingEventTypes", [])
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
    mail = {
        "timestamp": utc_timestamp(datetime.fromtimestamp(sent["Timestamp"], timezone.utc)),
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
        "tags": {
            "ses:configuration-set": [ses._p(params, "ConfigurationSetName")],
            **dict(_message_tags(params)),
        },
    }
    if identity := ses._notification_identity(sent["Source"]):
        mail["sourceArn"] = ses_v2._resource_arn("identity", identity[0])
    return mail
