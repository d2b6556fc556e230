"""Reads the `Authorization` header of a request for an unknown route as an AWS signature.

AWS: API Gateway returns 403 IncompleteSignatureException for an unknown path or method if the request has an
`Authorization` header that is not an AWS signature, such as a bearer token ("How do I troubleshoot HTTP 403
errors from API Gateway?", AWS re:Post). The documentation does not state the type of this gateway response.
LocalStack: returns its response for a missing token. This patch uses DEFAULT_4XX, as MiniStack does for
the same error on a route with IAM authorization.
Delete this patch when LocalStack rejects bearer tokens on unknown routes.
"""

from __future__ import annotations

from typing import Any


def apply() -> None:
    """Replaces the error for unknown routes if the request has a header that is not a signature."""
    from localstack.services.apigateway.next_gen.execute_api import gateway_response as errors
    from localstack.services.apigateway.next_gen.execute_api.handlers import resource_router
    from localstack.utils.patch import patch

    class IncompleteSignatureError(errors.Default4xxError):  # type: ignore[misc, name-defined]
        code = "IncompleteSignatureException"
        status_code = 403

    @patch(resource_router.RestAPIResourceRouter.match)
    def match(match_route: Any, router: Any, context: Any) -> Any:
        try:
            return match_route(router, context)
        except errors.MissingAuthTokenError as error:
            header = context.invocation_request["headers"].get("Authorization")
            if not header or header.startswith("AWS4-"):
                raise
            message = "Authorization header requires 'Credential' parameter."
            raise IncompleteSignatureError(message) from error
