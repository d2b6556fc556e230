"""Rejects unsigned requests to S3.

AWS: new buckets block public access, and then neither a bucket policy nor an ACL can grant it ("Blocking
public access to your Amazon S3 storage", Amazon S3 User Guide). Access to an object needs credentials or a
presigned URL.
LocalStack: returns every object to unsigned requests. This patch also rejects unsigned requests to buckets
that allow public access.
Delete this patch when LocalStack returns 403 for unsigned requests to a bucket that blocks public access.
"""

from __future__ import annotations

from typing import Any

SIGNATURES = ("X-Amz-Signature", "Signature")
"""The signature query parameters of presigned URLs: Signature Version 4 and Version 2."""


def apply() -> None:
    """Adds the check before the S3 service."""
    from localstack.aws import handlers

    handlers.serve_custom_service_request_handlers.append(reject_unsigned)


def reject_unsigned(chain: Any, context: Any, response: Any) -> None:
    """Raises AccessDenied for an unsigned S3 request. PostObject is exempt: its signature is in the form fields."""
    from localstack.aws.api import CommonServiceException

    if context.service is None or context.service.service_name != "s3":
        return
    if context.operation is None or context.operation.name == "PostObject":
        return
    # By now, LocalStack has added an Authorization header of its own to unsigned requests.
    unsigned = "injectedaccesskey" in context.request.headers.get("Authorization", "")
    if unsigned and not any(name in context.request.args for name in SIGNATURES):
        raise CommonServiceException("AccessDenied", "Access Denied", status_code=403)
