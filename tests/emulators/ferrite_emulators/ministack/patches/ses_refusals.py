"""Refuses an e-mail whose recipient or message tag SES would not take.

SES answers InvalidParameterValue in the words of Jakarta Mail's InternetAddress, seen for a recipient
with a space or nothing before the `@`. Its documentation has no list of them, so the rules on dots here
are InternetAddress's (those of a Dot-string, RFC 5321). It answers the same for a message tag beyond
letters, digits, `_` and `-` ("MessageTag", Amazon SES API Reference). MiniStack refuses a recipient that
has no domain or is not ASCII, and takes every tag. Here for SendEmail of the v1 API.
"""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import Any

from .replacement import replace, require

LOCAL_PART_FAULTS = (
    (r"", "Missing local name"),
    (r"\..*", "Local address starts with dot"),
    (r".*\.\..*", "Local address contains dot-dot"),
    (r".*\.", "Local address ends with dot"),
    (r".*[\x00-\x20\x7f].*", "Local address contains control or whitespace"),
)
"""What an unquoted local part must not be, and how SES says so."""

TAG_PARAMETER = re.compile(r"Tags\.member\.\d+\.(Name|Value)")
TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


def apply() -> None:
    """Checks recipients and tags before MiniStack does anything with the e-mail."""
    from ministack.services import ses

    def unless_refused(send: Any) -> Any:
        def _send_email(params: dict[str, Any]) -> Any:
            refusal = _refusal(params)
            return ses._error("InvalidParameterValue", refusal, 400) if refusal else send(params)

        return _send_email

    require(ses, "_p", "_collect_list", "_error")
    replace(ses, "_send_email", unless_refused)


def _refusal(params: dict[str, Any]) -> str | None:
    from ministack.services import ses

    for kind in ("To", "Cc", "Bcc"):
        for recipient in ses._collect_list(params, f"Destination.{kind}Addresses.member"):
            local_part, at, _domain = parseaddr(recipient)[1].rpartition("@")
            if not at or local_part.startswith('"'):
                continue
            for pattern, message in LOCAL_PART_FAULTS:
                if re.fullmatch(pattern, local_part, re.DOTALL):
                    return message
    for key in params:
        if (tag := TAG_PARAMETER.fullmatch(key)) and not TAG.fullmatch(text := ses._p(params, key)):
            allowed = "only alphanumeric ASCII characters, '_', and '-' are allowed."
            return f"Invalid tag {tag[1].lower()} <{text}>: {allowed}"
    return None
