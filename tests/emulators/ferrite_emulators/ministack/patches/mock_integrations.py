"""Imports the templates, parameters and responses of an integration.

AWS: `x-amazon-apigateway-integration` can contain them ("OpenAPI extensions for API Gateway", API Gateway
Developer Guide). A MOCK integration consists only of them. SAM implements `Cors` as an OPTIONS method whose
MOCK integration returns the headers.
MiniStack: imports only the type, method and URI of an integration, so preflight responses have no CORS
headers.
Delete this patch when MiniStack imports integration responses.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace, require


def apply() -> None:
    """Stores the complete integration after MiniStack imports its type, method and URI."""
    from ministack.services import apigateway_v1

    def with_responses(import_operation: Any) -> Any:
        def _import_operation(
            api_id: str, resource_id: str, method: str, operation: dict[str, Any] | None, *args: Any
        ) -> None:
            import_operation(api_id, resource_id, method, operation, *args)
            integration = (operation or {}).get("x-amazon-apigateway-integration") or {}
            if not (integration.get("responses") or integration.get("requestTemplates")):
                return
            settings = {**integration, "type": str(integration.get("type", "")).upper()}
            apigateway_v1._put_integration(api_id, resource_id, method, settings)
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
