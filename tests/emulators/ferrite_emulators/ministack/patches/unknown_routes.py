"""Reads the `Authorization` header of a request for an unknown route as an AWS signature.

AWS: API Gateway returns 403 IncompleteSignatureException for an unknown path or method if the request has an
`Authorization` header that is not an AWS signature, such as a bearer token ("How do I troubleshoot HTTP 403
errors from API Gateway?", AWS re:Post). The documentation does not state the type of this gateway response.
MiniStack: returns its response for a missing token. It uses DEFAULT_4XX for the same error on a route with IAM
authorization, and so does this patch.
Delete this patch when MiniStack rejects bearer tokens on unknown routes.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace, require


def apply() -> None:
    """Replaces the gateway response of unknown routes if the request has a header that is not a signature."""
    from ministack.core import sigv4
    from ministack.services import apigateway_v1

    def with_signature_check(execute: Any) -> Any:
        async def _execute_in_scope(request: dict[str, Any], *args: Any) -> Any:
            response = await execute(request, *args)
            if getattr(response, "response_type", None) != "MISSING_AUTHENTICATION_TOKEN":
                return response
            headers = {name.lower(): value for name, value in request["headers"].items()}
            if not request["resource_path"] and headers.get("authorization"):
                failure = sigv4.foreign_authorization_failure(headers)
                if failure is not None:
                    return apigateway_v1._GatewayError(
                        "DEFAULT_4XX", failure[1], "IncompleteSignatureException"
                    )
            return response

        return _execute_in_scope

    require(sigv4, "foreign_authorization_failure")
    require(apigateway_v1, "_GatewayError")
    replace(apigateway_v1, "_execute_in_scope", with_signature_check)
