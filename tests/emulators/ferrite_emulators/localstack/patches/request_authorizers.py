"""Invokes a REQUEST authorizer before the integration of a protected route.

AWS: "Use API Gateway Lambda authorizers" (API Gateway Developer Guide). If an identity source header is
missing, API Gateway returns the UNAUTHORIZED gateway response without invoking the authorizer. It caches the
authorizer's response by the identity source headers for the configured TTL. The policy in the response
allows or denies the method ARN, and the context values are passed to the integration as strings.
LocalStack: stores authorizers but never invokes them, so every protected route is open. This patch supports
only REQUEST authorizers whose identity sources are headers. Routes with another authorizer type return an
error.
Delete this patch when LocalStack invokes REQUEST authorizers.
"""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any

DEFAULT_TTL_SECONDS = 300
IDENTITY = "method.request.header."

AuthorizerResponse = dict[str, Any]
"""The response of an authorizer function: `principalId`, `policyDocument`, `context`."""


def apply() -> None:
    """Adds the authorizer check between routing and integration."""
    from localstack.services.apigateway.next_gen.execute_api import handlers

    handlers.preprocess_request.append(Authorizers())


class Authorizers:
    """A request handler for LocalStack's API Gateway that invokes authorizers and caches their responses."""

    def __init__(self) -> None:
        self._cache: dict[tuple[str, ...], tuple[float, AuthorizerResponse]] = {}
        self._lock = threading.Lock()

    def __call__(self, chain: Any, context: Any, response: Any) -> None:
        """Returns if the request is allowed; otherwise raises the corresponding gateway error."""
        from localstack.services.apigateway.next_gen.execute_api import gateway_response as errors

        if context.resource_method.get("authorizationType") != "CUSTOM":
            return
        authorizer_id = context.resource_method.get("authorizerId")
        authorizer = context.deployment.rest_api.authorizers.get(authorizer_id)
        if authorizer is None or authorizer["type"] != "REQUEST":
            raise errors.AuthorizerConfigurationError()
        authorization = self._authorize(authorizer, context)
        try:
            statements = authorization["policyDocument"]["Statement"]
            method_arn = _method_arn(context)
            effects = {each["Effect"] for each in statements if _applies_to(each, method_arn)}
            principal = str(authorization["principalId"])
        except (KeyError, TypeError) as error:
            raise errors.AuthorizerConfigurationError() from error
        message = "User is not authorized to access this resource"
        if "Deny" in effects:
            raise errors.AccessDeniedError(f"{message} with an explicit deny")
        if "Allow" not in effects:
            raise errors.AccessDeniedError(message)
        authorizer_context = authorization.get("context") or {}
        context.context_variables["authorizer"] = {
            **{name: _as_string(value) for name, value in authorizer_context.items()},
            "principalId": principal,
        }

    def _authorize(self, authorizer: dict[str, Any], context: Any) -> AuthorizerResponse:
        from localstack.services.apigateway.next_gen.execute_api import gateway_response as errors

        identity = _identity(authorizer, context)
        ttl = authorizer.get("authorizerResultTtlInSeconds")
        ttl = DEFAULT_TTL_SECONDS if ttl is None else int(ttl)
        if not identity or not all(identity):
            if ttl:
                raise errors.UnauthorizedError("Unauthorized")
            return _invoke(authorizer, context)
        key = (context.api_id, context.deployment_id, authorizer["id"], *identity)
        with self._lock:
            expires_at, authorization = self._cache.get(key, (0.0, {}))
        if time.monotonic() < expires_at:
            return authorization
        authorization = _invoke(authorizer, context)
        with self._lock:
            self._cache[key] = (time.monotonic() + ttl, authorization)
        return authorization


def _identity(authorizer: dict[str, Any], context: Any) -> list[str]:
    headers = context.invocation_request["headers"]
    sources = [each.strip() for each in (authorizer.get("identitySource") or "").split(",")]
    return [headers.get(each.removeprefix(IDENTITY), "") for each in sources if each]


def _invoke(authorizer: dict[str, Any], context: Any) -> AuthorizerResponse:
    from localstack.aws.connect import connect_to
    from localstack.services.apigateway.next_gen.execute_api import gateway_response as errors
    from localstack.services.apigateway.next_gen.execute_api.helpers import (
        get_lambda_function_arn_from_invocation_uri,
    )

    function = get_lambda_function_arn_from_invocation_uri(authorizer["authorizerUri"])
    client = connect_to(
        region_name=context.region, aws_access_key_id=context.account_id
    ).lambda_.request_metadata(service_principal="apigateway")
    response = client.invoke(FunctionName=function, Payload=json.dumps(_event(context)))
    try:
        payload = json.loads(response["Payload"].read())
    except ValueError as error:
        raise errors.AuthorizerConfigurationError() from error
    if not isinstance(payload, dict):
        raise errors.AuthorizerConfigurationError()
    if "FunctionError" in response:
        # An authorizer rejects a token with the error message "Unauthorized". Any other error is a failure.
        if payload.get("errorMessage") == "Unauthorized":
            raise errors.UnauthorizedError("Unauthorized")
        raise errors.AuthorizerFailureError()
    return payload


def _event(context: Any) -> dict[str, Any]:
    request = context.invocation_request
    headers: dict[str, list[str]] = {}
    for name, value in request["headers"]:
        headers.setdefault(name, []).append(value)
    return {
        "type": "REQUEST",
        "methodArn": _method_arn(context),
        "resource": context.resource["path"],
        "path": request["path"],
        "httpMethod": request["http_method"],
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": request["query_string_parameters"],
        "multiValueQueryStringParameters": request["multi_value_query_string_parameters"],
        "pathParameters": request["path_parameters"] or {},
        "stageVariables": context.stage_variables or {},
        "requestContext": context.context_variables,
    }


def _method_arn(context: Any) -> str:
    request = context.invocation_request
    api = f"arn:aws:execute-api:{context.region}:{context.account_id}:{context.api_id}"
    return f"{api}/{context.stage}/{request['http_method']}{request['path']}"


def _applies_to(statement: dict[str, Any], method_arn: str) -> bool:
    actions = _as_list(statement["Action"])
    resources = _as_list(statement["Resource"])
    return any(_matches(each.lower(), "execute-api:invoke") for each in actions) and any(
        _matches(each, method_arn) for each in resources
    )


def _matches(pattern: str, text: str) -> bool:
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in pattern)
    return re.fullmatch("".join(parts), text) is not None


def _as_list(one_or_more: Any) -> list[str]:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def _as_string(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
