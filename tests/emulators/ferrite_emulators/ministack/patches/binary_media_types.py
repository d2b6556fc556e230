"""Imports an API's binary media types.

SAM's `BinaryMediaTypes` becomes `x-amazon-apigateway-binary-media-types` in the OpenAPI document
("OpenAPI extensions for API Gateway", API Gateway Developer Guide): a body of such a type reaches the
function in base64. MiniStack ignores the extension, so binary bodies arrive mangled as text.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace


def apply() -> None:
    """Adds the document's types to those that the API is created with."""
    from ministack.services import apigateway_v1

    def with_types(import_api: Any) -> Any:
        def _import_rest_api(document: dict[str, Any], base: dict[str, Any] | None = None) -> str:
            data = dict(base or {})
            listed = document.get("x-amazon-apigateway-binary-media-types") or []
            # SAM lets `/` be written as `~1`, which it takes over from JSON pointers.
            declared = [each.replace("~1", "/") for each in data.get("binaryMediaTypes") or []]
            data["binaryMediaTypes"] = list(dict.fromkeys([*declared, *listed]))
            api_id: str = import_api(document, data)
            return api_id

        return _import_rest_api

    replace(apigateway_v1, "_import_rest_api", with_types)
