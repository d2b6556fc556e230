"""Imports an API's gateway responses (SAM's `GatewayResponses`) and returns them.

AWS: API Gateway uses them for the errors that it generates itself: 401, 403, 404, 413, 429 and 5xx
("Gateway responses in API Gateway", API Gateway Developer Guide). Ferrite uses them to return
`application/problem+json`.
LocalStack: ignores `x-amazon-apigateway-gateway-responses` in the OpenAPI document that SAM generates. For a
gateway response set by another method, it returns only the status. This patch supports `application/json`
templates with `$context` variables, and headers with literal values or the value of a request header. API Gateway
leaves out a header whose source is missing ("x-amazon-apigateway-gateway-responses.responseParameters object").
Delete this patch when LocalStack imports gateway responses and returns their bodies and headers.
"""

from __future__ import annotations

import json
import re
from typing import Any

EXTENSION = "x-amazon-apigateway-gateway-responses"
HEADER = "gatewayresponse.header."
REQUEST_HEADER = "method.request.header."
VARIABLE = re.compile(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)|\$\{context\.([A-Za-z.]+)\}")


def apply() -> None:
    """Stores the gateway responses of an imported document, and renders them for gateway errors."""
    from localstack.services.apigateway.legacy import provider
    from localstack.services.apigateway.models import apigateway_stores
    from localstack.services.apigateway.next_gen.execute_api import gateway_response as responses
    from localstack.services.apigateway.next_gen.execute_api.handlers import gateway_exception
    from localstack.utils.patch import Patch, create_patch_proxy, patch

    def with_responses(import_api: Any, rest_api: Any, *args: Any, **kwargs: Any) -> Any:
        imported = import_api(rest_api, *args, **kwargs)
        store = apigateway_stores[rest_api.account_id][rest_api.region_name]
        gateway_responses = store.rest_apis[rest_api.id].gateway_responses
        for response_type, settings in (kwargs["open_api_spec"].get(EXTENSION) or {}).items():
            fields = {
                "status_code": settings.get("statusCode"),
                "response_parameters": settings.get("responseParameters"),
                "response_templates": settings.get("responseTemplates"),
            }
            gateway_responses[response_type] = responses.build_gateway_response(
                response_type, default_response=False, **fields
            )
        return imported

    name = "import_api_from_openapi_spec"
    Patch(provider, name, create_patch_proxy(getattr(provider, name), with_responses)).apply()

    @patch(gateway_exception.GatewayExceptionHandler.create_exception_response)
    def create_exception_response(create: Any, handler: Any, exception: Any, context: Any) -> Any:
        response = create(handler, exception, context)
        configured = responses.get_gateway_response_or_default(
            exception.type, context.deployment.rest_api.gateway_responses
        )
        if configured is responses.DEFAULT_GATEWAY_RESPONSES[exception.type]:
            return response
        template = (configured.get("responseTemplates") or {}).get("application/json")
        if template is not None:
            response.set_data(_substitute(template, exception, context.context_variables))
        for parameter, value in (configured.get("responseParameters") or {}).items():
            if not parameter.startswith(HEADER):
                continue
            if value.startswith("'"):
                value = value.strip("'")
            elif value.startswith(REQUEST_HEADER):
                name = value.removeprefix(REQUEST_HEADER)
                value = context.invocation_request["headers"].get(name)
            else:
                continue
            if value is not None:
                response.headers[parameter.removeprefix(HEADER)] = value
        return response


def _substitute(template: str, exception: Any, variables: dict[str, Any]) -> str:
    error = {
        "message": exception.message,
        "messageString": json.dumps(exception.message),
        "responseType": exception.type,
    }

    def value_of(match: re.Match[str]) -> str:
        value: Any = {**variables, "error": error}
        for part in (match[1] or match[2]).split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return "" if value is None else str(value)

    return VARIABLE.sub(value_of, template)
