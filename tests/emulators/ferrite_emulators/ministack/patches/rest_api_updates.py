"""Updates a REST API in place if its OpenAPI document changes.

AWS: the new definition replaces the existing one, and "the existing API identifier remains unchanged"
(`Mode` of AWS::ApiGateway::RestApi, AWS CloudFormation User Guide). So the URL of the API stays the same if a
template adds a route.
MiniStack: imports the document as a new API with another identifier, and deletes the old API.
Delete this patch when MiniStack keeps the identifier.
"""

from __future__ import annotations

from typing import Any

from .replacement import Properties, replace, require

REST_API = "AWS::ApiGateway::RestApi"

DOCUMENT_FIELDS = ("name", "version", "binaryMediaTypes")
"""The fields of an API that the import of a document sets."""


def apply() -> None:
    """Imports a changed document as a temporary API and moves its definition to the existing API."""
    from ministack.services import apigateway_v1
    from ministack.services.cloudformation import provisioners

    definition = ("_models", "_gateway_responses", "_resources", "_authorizers_v1")
    require(apigateway_v1, *definition, "_rest_apis", "_delete_rest_api")
    require(provisioners, "_apigw_rest_api_create", "_apigw_rest_api_attrs", "_RESOURCE_HANDLERS")

    def move_definition(imported: str, api_id: str) -> None:
        authorizers = apigateway_v1._authorizers_v1
        # Requests find an authorizer by the route's reference to it, so both sets must exist until the routes are moved.
        authorizers[api_id] = authorizers[api_id] | authorizers[imported]
        for name in definition:
            store = getattr(apigateway_v1, name)
            store[api_id] = store[imported]
        record = apigateway_v1._rest_apis[imported]
        apigateway_v1._rest_apis[api_id].update({field: record[field] for field in DOCUMENT_FIELDS})
        apigateway_v1._delete_rest_api(imported)

    def in_place(update: Any) -> Any:
        def _apigw_rest_api_update(
            api_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
        ) -> Any:
            body = new.get("Body")
            if isinstance(body, dict) and body != old.get("Body") and api_id in apigateway_v1._rest_apis:
                # Without tags, because a tag with a custom identifier would be a conflict.
                temporary = {**new, "Tags": []}
                imported, _ = provisioners._apigw_rest_api_create(
                    logical_id or api_id, temporary, stack_name
                )
                update(api_id, {**old, "Body": body}, new, stack_name, logical_id)
                move_definition(imported, api_id)
                return api_id, provisioners._apigw_rest_api_attrs(api_id)
            return update(api_id, old, new, stack_name, logical_id)

        return _apigw_rest_api_update

    require(provisioners._RESOURCE_HANDLERS, REST_API, label="its resource handlers")
    replace(provisioners._RESOURCE_HANDLERS[REST_API], "update", in_place, label=f"its handlers for {REST_API}")
