"""Rejects e-mails with an invalid recipient address.

AWS: SES returns InvalidParameterValue with the messages of Jakarta Mail's InternetAddress. The MiniStack
patch of the same name documents the known messages.
LocalStack: accepts every recipient address. This patch covers SendEmail of the v1 API.
Delete this patch when LocalStack rejects invalid recipient addresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import parseaddr
from typing import Any

from ferrite_emulators.ministack.patches.ses_validation import recipient_error


def apply() -> None:
    """Checks the recipients before LocalStack processes the e-mail."""
    from localstack.services.ses.provider import InvalidParameterValue, SesProvider
    from localstack.utils.patch import patch

    @patch(SesProvider.send_email)
    def validate_and_send(send: Any, provider: Any, context: Any, **request: Any) -> Any:
        recipients = (each for kind in request["destination"].values() for each in kind)
        if message := _error_message(recipients):
            raise InvalidParameterValue(message)
        return send(provider, context, **request)


def _error_message(recipients: Iterable[str]) -> str | None:
    for recipient in recipients:
        if "@" not in parseaddr(recipient)[1]:
            return "Missing final '@domain'"
        if message := recipient_error(recipient):
            return message
    return None
