"""Refuses an e-mail whose recipient SES would not take.

SES answers InvalidParameterValue in the words of Jakarta Mail's InternetAddress; MiniStack's patch of the
same name says what is known of them. LocalStack takes every recipient. Here for SendEmail of the v1 API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import parseaddr
from typing import Any

from ferrite_emulators.ministack.patches.ses_refusals import LOCAL_PART_FAULTS


def apply() -> None:
    """Checks recipients before LocalStack does anything with the e-mail."""
    from localstack.services.ses.provider import InvalidParameterValue, SesProvider
    from localstack.utils.patch import patch

    @patch(SesProvider.send_email)
    def unless_refused(send: Any, provider: Any, context: Any, **request: Any) -> Any:
        recipients = (each for kind in request["destination"].values() for each in kind)
        if refusal := _refusal(recipients):
            raise InvalidParameterValue(refusal)
        return send(provider, context, **request)


def _refusal(recipients: Iterable[str]) -> str | None:
    for recipient in recipients:
        local_part, at, _domain = parseaddr(recipient)[1].rpartition("@")
        if not at:
            return "Missing final '@domain'"
        if local_part.startswith('"'):
            continue
        for pattern, message in LOCAL_PART_FAULTS:
            if re.fullmatch(pattern, local_part, re.DOTALL):
                return message
    return None
