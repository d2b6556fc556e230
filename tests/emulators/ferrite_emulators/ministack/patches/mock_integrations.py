"""Keeps an imported integration's templates, parameters and responses.

`x-amazon-apigateway-integration` ("OpenAPI extensions for API Gateway", API Gateway Developer Guide)
may carry them, and a MOCK integration is made of nothing else. SAM's `Cors` is one: an OPTIONS method
whose MOCK answers the headers. MiniStack imports type, method and URI only, so CORS answers nothing.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace, require


def apply() -> None:
    """Stores the whole integration after MiniStack has imported its outline."""
    from ministack.services import apigateway_v1

    def with_responses(import_operation: Any) -> Any:
        def _import_operation(
            api_id: str, resource_id: str, method: str, operation: dict[str, Any] | None, *rest: Any
        ) -> None:
            import_operation(api_id, resource_id, method, operation, *rest)
            integration = (operation or {}).get("x-amazon-apigateway-integration") or {}
            if not (integration.get("responses") or integration.get("requestTemplates")):
                return
            outline = {**integration, "type": str(integration.get("type", "")).upper()}
            apigateway_v1._put_integration(api_id, resource_id, method, outline)
            for pattern, response in (integration.get("responses") or {}).items():
                apigateway_v1._put_integration_response(
                    api_id,
                    resource_id,
                    method,
                    str(response.get("statusCode", "200")),
                    {**response, "selectionPattern": "" if pattern == "default" else pattern},
                )

        return _import_operation

    require(apigateway_v1, "_put_integration", "_put_integration_response")
    replace(apigateway_v1, "_import_operation", with_responses)
