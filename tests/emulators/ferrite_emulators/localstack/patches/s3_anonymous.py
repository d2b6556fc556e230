"""Refuses a request to S3 that nobody signed.

A new bucket blocks public access, and then neither a policy nor an ACL can open it ("Blocking public access
to your Amazon S3 storage", Amazon S3 User Guide): an object is for whoever has a key or a link that was
signed for it. LocalStack gives every object to whoever asks. Buckets that were opened are not here.
"""

from __future__ import annotations

from typing import Any

SIGNATURES = ("X-Amz-Signature", "Signature")
"""The query parameters of a signed link, version 4 and version 2."""


def apply() -> None:
    """Puts the check before the service."""
    from localstack.aws import handlers

    handlers.serve_custom_service_request_handlers.append(refuse_unsigned)


def refuse_unsigned(chain: Any, context: Any, response: Any) -> None:
    """S3's own error; a form upload (PostObject) has its signature in the form, which S3 itself looks at."""
    from localstack.aws.api import CommonServiceException

    if context.service is None or context.service.service_name != "s3":
        return
    if context.operation is None or context.operation.name == "PostObject":
        return
    # LocalStack has put a key of its own into the request by now.
    unsigned = "injectedaccesskey" in context.request.headers.get("Authorization", "")
    if unsigned and not any(name in context.request.args for name in SIGNATURES):
        raise CommonServiceException("AccessDenied", "Access Denied", status_code=403)
