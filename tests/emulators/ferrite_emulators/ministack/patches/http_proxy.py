"""Passes requests and responses of HTTP proxy integrations through, as API Gateway does.

AWS: an HTTP proxy integration passes the whole request and response through, with the exceptions in the table of
"Amazon API Gateway important notes" (API Gateway Developer Guide), which `http_proxy` implements. It also applies
the request parameters of the integration ("Parameter mapping source reference for REST APIs in API Gateway").
Only bodies of the API's binary media types keep their bytes ("Content type conversions in API Gateway").
MiniStack: ignores the request parameters of an imported integration, follows redirects, drops all response headers
except `Content-Type`, and returns 500 if the backend cannot be reached.
Delete this patch when MiniStack passes responses through and imports request parameters.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

from ..http_proxy import BackendError, BackendTimeout, Exchange, send
from .replacement import replace, require


def apply() -> None:
    """Imports request parameters, and replaces the function that calls the backend."""
    from ministack.services import apigateway_v1

    current: ContextVar[dict[str, Any]] = ContextVar("request")

    def with_parameters(import_operation: Any) -> Any:
        def _import_operation(
            api_id: str, resource_id: str, method: str, operation: dict[str, Any] | None, *args: Any
        ) -> None:
            import_operation(api_id, resource_id, method, operation, *args)
            integration = (operation or {}).get("x-amazon-apigateway-integration") or {}
            if integration.get("requestParameters"):
                settings = {**integration, "type": str(integration.get("type", "")).upper()}
                apigateway_v1._put_integration(api_id, resource_id, method, settings)

        return _import_operation

    def with_context(execute: Any) -> Any:
        async def _execute_in_scope(request: dict[str, Any], *args: Any) -> Any:
            current.set(request)
            return await execute(request, *args)

        return _execute_in_scope

    async def _invoke_http_proxy_v1(
        integration: dict[str, Any],
        path: str,
        method: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, list[str]],
        path_parameters: dict[str, str] | None = None,
    ) -> Any:
        request = current.get()
        exchange = Exchange(
            method=method,
            headers=headers,
            query=query,
            path_parameters=path_parameters or {},
            body=body or b"",
            context={
                "requestId": request["request_id"],
                "domainName": apigateway_v1._header_ci(headers, "host"),
            },
            binary_types=apigateway_v1._rest_apis[request["api_id"]]["binaryMediaTypes"],
        )
        try:
            return await asyncio.to_thread(send, exchange, integration)
        except BackendTimeout:
            return apigateway_v1._gw_error("INTEGRATION_TIMEOUT", "Endpoint request timed out")
        except BackendError:
            message = "Network error communicating with endpoint"
            return apigateway_v1._gw_error("INTEGRATION_FAILURE", message)

    require(apigateway_v1, "_put_integration", "_header_ci", "_rest_apis", "_gw_error")
    replace(apigateway_v1, "_import_operation", with_parameters)
    replace(apigateway_v1, "_execute_in_scope", with_context)
    replace(apigateway_v1, "_invoke_http_proxy_v1", lambda _: _invoke_http_proxy_v1)
