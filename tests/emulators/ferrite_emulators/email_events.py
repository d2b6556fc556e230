"""Creates the events that SES publishes about an e-mail, including those of the mailbox simulator.

Shared by the patches `ses_events` of both emulators. The detail types are those of "Monitoring SES events using
Amazon EventBridge", the details those of "Contents of event data that Amazon SES publishes to Amazon SNS", and
the addresses those of "Using the mailbox simulator manually" (Amazon SES Developer Guide).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator
from datetime import datetime, timezone
from typing import Any

SIMULATOR_DOMAIN = "simulator.amazonses.com"

DETAIL_TYPES = {
    "Send": "Email Sent",
    "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received",
}
"""The detail type of each event type that `email_events` creates."""


def email_events(
    mail: dict[str, Any], event_types: Collection[str], configuration_set_arn: str
) -> list[dict[str, Any]]:
    """Returns the entries for PutEvents, the one for `Send` first.

    `mail` is the object of the same name in each event. `event_types` are the types that the event destination
    publishes, in upper case. The only bounces and complaints are those of the mailbox simulator.
    """
    details = [("Send", {}), *_simulator_feedback(mail["destination"])]
    return [
        {
            "Source": "aws.ses",
            "DetailType": DETAIL_TYPES[event_type],
            "Resources": [configuration_set_arn],
            "Detail": json.dumps(
                {"eventType": event_type, "mail": mail, event_type.lower(): detail}
            ),
        }
        for event_type, detail in details
        if event_type.upper() in event_types
    ]


def utc_timestamp(time: datetime | None = None) -> str:
    """Returns `time`, or the current time, in the format of SES events."""
    time = time or datetime.now(timezone.utc)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _simulator_feedback(recipients: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The bounces and complaints that the mailbox simulator returns for an e-mail.

    `success` and `ooto` accept the e-mail. SES combines several bounces of the same kind into one event.
    """
    by_mailbox: dict[str, list[str]] = {}
    for recipient in recipients:
        local_part, _, domain = recipient.rpartition("@")
        if domain.lower() == SIMULATOR_DOMAIN:
            mailbox = local_part.partition("+")[0].lower()
            by_mailbox.setdefault(mailbox, []).append(recipient)
    now = utc_timestamp()

    def feedback() -> dict[str, Any]:
        return {"timestamp": now, "feedbackId": str(uuid.uuid4())}

    if bounced := by_mailbox.get("bounce"):
        delivery_status = {
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
        yield "Bounce", {
            **feedback(),
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": each, **delivery_status} for each in bounced],
            "reportingMTA": "dns; a0-0.smtp-out.amazonses.com",
        }
    if suppressed := by_mailbox.get("suppressionlist"):
        # SES does not send the e-mail, so there is no delivery status.
        yield "Bounce", {
            **feedback(),
            "bounceType": "Permanent",
            "bounceSubType": "Suppressed",
            "bouncedRecipients": [{"emailAddress": each} for each in suppressed],
        }
    if complained := by_mailbox.get("complaint"):
        yield "Complaint", {
            **feedback(),
            "complainedRecipients": [{"emailAddress": each} for each in complained],
            "complaintSubType": None,
            "complaintFeedbackType": "abuse",
            "userAgent": "Amazon SES Mailbox Simulator",
            "arrivalDate": now,
        }
