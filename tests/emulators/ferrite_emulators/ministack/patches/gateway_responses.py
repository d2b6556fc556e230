"""Imports an API's gateway responses (SAM's `GatewayResponses`).

AWS: API Gateway uses them for the errors that it generates itself: 401, 403, 404, 413, 429 and 5xx
("Gateway responses in API Gateway", API Gateway Developer Guide). Ferrite uses them to return
`application/problem+json`.
MiniStack: supports gateway responses, but ignores `x-amazon-apigateway-gateway-responses` in the OpenAPI
document that SAM generates.
Delete this patch when MiniStack imports the extension.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace, require


def apply() -> None:
    """Adds each gateway response in the document to the imported API."""
    from ministack.services import apigateway_v1

    def with_responses(import_api: Any) -> Any:
        def _import_rest_api(document: dict[str, Any], base: dict[str, Any] | None = None) -> str:
            api_id: str = import_api(document, base)
            responses = document.get("x-amazon-apigateway-gateway-responses") or {}
            for response_type, response in responses.items():
                fields = ("statusCode", "responseTemplates", "responseParameters")
                apigateway_v1._put_gateway_response(
                    api_id, response_type, {field: response.get(field) for field in fields}
                )
            return api_id

        return _import_rest_api

    require(apigateway_v1, "_put_gateway_response")
    replace(apigateway_v1, "_import_rest_api", with_responses)
