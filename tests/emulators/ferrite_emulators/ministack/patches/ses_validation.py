"""Rejects e-mails with an invalid recipient address or message tag.

AWS: SES returns InvalidParameterValue with the messages of Jakarta Mail's InternetAddress. This was observed
for a recipient with a space in the local part and for an empty local part. The documentation does not list
the messages, so the rules for dots are those of InternetAddress (Dot-string, RFC 5321). SES also rejects a
domain with a label that begins or ends with a hyphen (RFC 1123). InternetAddress has no such rule, so the
message for it is assumed. SES returns the same error code for a message tag with characters other than
letters, digits, `_` and `-` ("MessageTag", Amazon SES API Reference).
MiniStack: rejects only recipients without a domain or with non-ASCII characters, and accepts every message
tag. This patch covers SendEmail of the v1 API.
Delete this patch when MiniStack rejects invalid recipients and message tags.
"""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import Any

from .replacement import replace, require

LOCAL_PART_ERRORS = (
    (r"", "Missing local name"),
    (r"\..*", "Local address starts with dot"),
    (r".*\.\..*", "Local address contains dot-dot"),
    (r".*\.", "Local address ends with dot"),
    (r".*[\x00-\x20\x7f].*", "Local address contains control or whitespace"),
)
"""Patterns of invalid unquoted local parts, with the error messages of SES."""

HYPHEN_AT_LABEL_EDGE = re.compile(r"(^|\.)-|-(\.|$)")

TAG_PARAMETER = re.compile(r"Tags\.member\.\d+\.(Name|Value)")
TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


def apply() -> None:
    """Checks recipients and message tags before MiniStack processes the e-mail."""
    from ministack.services import ses

    def with_validation(send: Any) -> Any:
        def _send_email(params: dict[str, Any]) -> Any:
            message = _error_message(params)
            return ses._error("InvalidParameterValue", message, 400) if message else send(params)

        return _send_email

    require(ses, "_p", "_collect_list", "_error")
    replace(ses, "_send_email", with_validation)


def recipient_error(recipient: str) -> str | None:
    """The error message of SES for an invalid recipient. Does not check whether the domain is missing."""
    local_part, at, domain = parseaddr(recipient)[1].rpartition("@")
    if not at:
        return None
    if not local_part.startswith('"'):
        for pattern, message in LOCAL_PART_ERRORS:
            if re.fullmatch(pattern, local_part, re.DOTALL):
                return message
    return "Domain contains illegal character" if HYPHEN_AT_LABEL_EDGE.search(domain) else None


def _error_message(params: dict[str, Any]) -> str | None:
    from ministack.services import ses

    for kind in ("To", "Cc", "Bcc"):
        for recipient in ses._collect_list(params, f"Destination.{kind}Addresses.member"):
            if message := recipient_error(recipient):
                return message
    for key in params:
        if (tag := TAG_PARAMETER.fullmatch(key)) and not TAG.fullmatch(text := ses._p(params, key)):
            allowed = "only alphanumeric ASCII characters, '_', and '-' are allowed."
            return f"Invalid tag {tag[1].lower()} <{text}>: {allowed}"
    return None
