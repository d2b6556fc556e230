"""Imports an API's binary media types.

AWS: SAM writes `BinaryMediaTypes` as `x-amazon-apigateway-binary-media-types` to the OpenAPI document
("OpenAPI extensions for API Gateway", API Gateway Developer Guide). API Gateway passes a body of such a type
to the function in base64.
MiniStack: ignores the extension and decodes binary bodies as text, which corrupts them.
Delete this patch when MiniStack imports the extension.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace


def apply() -> None:
    """Adds the types in the document to the binary media types of the API."""
    from ministack.services import apigateway_v1

    def with_types(import_api: Any) -> Any:
        def _import_rest_api(document: dict[str, Any], base: dict[str, Any] | None = None) -> str:
            data = dict(base or {})
            listed = document.get("x-amazon-apigateway-binary-media-types") or []
            # In SAM templates, `/` can be escaped as `~1`, as in JSON Pointer.
            declared = [each.replace("~1", "/") for each in data.get("binaryMediaTypes") or []]
            data["binaryMediaTypes"] = list(dict.fromkeys([*declared, *listed]))
            api_id: str = import_api(document, data)
            return api_id

        return _import_rest_api

    replace(apigateway_v1, "_import_rest_api", with_types)
