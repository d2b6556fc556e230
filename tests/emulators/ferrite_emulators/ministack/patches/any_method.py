"""Imports a route for every method (SAM's `Method: ANY`).

An OpenAPI document says it as `x-amazon-apigateway-any-method` ("OpenAPI extensions for API Gateway",
API Gateway Developer Guide). MiniStack imports the seven named methods only, so the route is missing.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace


def apply() -> None:
    """Imports the extension as the method ANY, which MiniStack serves."""
    from ministack.services import apigateway_v1

    def with_any(import_path: Any) -> Any:
        def _import_path_item(api_id: str, path: str, item: dict[str, Any], *rest: Any) -> None:
            renamed = {
                "any" if method == "x-amazon-apigateway-any-method" else method: operation
                for method, operation in item.items()
            }
            import_path(api_id, path, renamed, *rest)

        return _import_path_item

    replace(apigateway_v1, "_OPENAPI_HTTP_METHODS", lambda methods: {*methods, "any"})
    replace(apigateway_v1, "_import_path_item", with_any)
