"""Imports routes for all methods (SAM's `Method: ANY`).

AWS: the OpenAPI extension `x-amazon-apigateway-any-method` defines a route for all methods ("OpenAPI
extensions for API Gateway", API Gateway Developer Guide).
MiniStack: imports only the seven named methods, so the route is missing.
Delete this patch when MiniStack imports the extension.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace


def apply() -> None:
    """Imports the extension as the method ANY, which MiniStack can serve."""
    from ministack.services import apigateway_v1

    def with_any(import_path: Any) -> Any:
        def _import_path_item(api_id: str, path: str, item: dict[str, Any], *args: Any) -> None:
            renamed = {
                "any" if method == "x-amazon-apigateway-any-method" else method: operation
                for method, operation in item.items()
            }
            import_path(api_id, path, renamed, *args)

        return _import_path_item

    replace(apigateway_v1, "_OPENAPI_HTTP_METHODS", lambda methods: {*methods, "any"})
    replace(apigateway_v1, "_import_path_item", with_any)
