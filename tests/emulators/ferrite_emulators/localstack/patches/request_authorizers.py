"""Asks a REQUEST authorizer before a protected route is integrated.

"Use API Gateway Lambda authorizers" (API Gateway Developer Guide): without the headers that identify the
caller the answer is UNAUTHORIZED and the function is not asked; what it answers is kept for these headers for
the authorizer's time to live; its policy allows or denies the method's ARN, and its context reaches the
integration as strings. LocalStack keeps authorizers, and lets every request through. Only REQUEST
authorizers that identify the caller by headers are here: a route with another one fails, and is not open.
"""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any

DEFAULT_TTL_SECONDS = 300
IDENTITY = "method.request.header."

Verdict = dict[str, Any]
"""What an authorizer answers: `principalId`, `policyDocument`, `context`."""


def apply() -> None:
    """Puts the check between routing and integration."""
    from localstack.services.apigateway.next_gen.execute_api import handlers

    handlers.preprocess_request.append(Authorizers())


class Authorizers:
    """A handler of LocalStack's API gateway."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], tuple[float, Verdict]] = {}
        self._lock = threading.Lock()

    def __call__(self, chain: Any, context: Any, response: Any) -> None:
        """Returns when the request may go on; raises the gateway's own error when it may not."""
        from localstack.services.apigateway.next_gen.execute_api import gateway_response as errors

        if context.resource_method.get("authorizationType") != "CUSTOM":
            return
        authorizer_id = context.resource_method.get("authorizerId")
        authorizer = context.deployment.rest_api.authorizers.get(authorizer_id)
        if authorizer is None or authorizer["type"] != "REQUEST":
            raise errors.AuthorizerConfigurationError()
        verdict = self._verdict(authorizer, context)
        try:
            policy = verdict["policyDocument"]["Statement"]
            effects = {each["Effect"] for each in policy if _is_about(each, _method_arn(context))}
            principal = str(verdict["principalId"])
        except (KeyError, TypeError) as error:
            raise errors.AuthorizerConfigurationError() from error
        refusal = "User is not authorized to access this resource"
        if "Deny" in effects:
            raise errors.AccessDeniedError(f"{refusal} with an explicit deny")
        if "Allow" not in effects:
            raise errors.AccessDeniedError(refusal)
        given = verdict.get("context") or {}
        context.context_variables["authorizer"] = {
            **{name: _as_string(value) for name, value in given.items()},
            "principalId": principal,
        }

    def _verdict(self, authorizer: dict[str, Any], context: Any) -> Verdict:
        from localstack.services.apigateway.next_gen.execute_api import gateway_response as errors

        identity = _identity(authorizer, context)
        ttl = authorizer.get("authorizerResultTtlInSeconds")
        ttl = DEFAULT_TTL_SECONDS if ttl is None else int(ttl)
        if not identity or not all(identity):
            if ttl:
                raise errors.UnauthorizedError("Unauthorized")
            return _ask(authorizer, context)
        key = (context.api_id, context.deployment_id, authorizer["id"], *identity)
        with self._lock:
            until, verdict = self._kept.get(key, (0.0, {}))
        if time.monotonic() < until:
            return verdict
        verdict = _ask(authorizer, context)
        with self._lock:
            self._kept[key] = (time.monotonic() + ttl, verdict)
        return verdict


def _identity(authorizer: dict[str, Any], context: Any) -> list[str]:
    headers = context.invocation_request["headers"]
    sources = [each.strip() for each in (authorizer.get("identitySource") or "").split(",")]
    return [headers.get(each.removeprefix(IDENTITY), "") for each in sources if each]


def _ask(authorizer: dict[str, Any], context: Any) -> Verdict:
    from localstack.aws.connect import connect_to
    from localstack.services.apigateway.next_gen.execute_api import gateway_response as errors
    from localstack.services.apigateway.next_gen.execute_api.helpers import (
        get_lambda_function_arn_from_invocation_uri,
    )

    function = get_lambda_function_arn_from_invocation_uri(authorizer["authorizerUri"])
    client = connect_to(
        region_name=context.region, aws_access_key_id=context.account_id
    ).lambda_.request_metadata(service_principal="apigateway")
    answer = client.invoke(FunctionName=function, Payload=json.dumps(_event(context)))
    try:
        verdict = json.loads(answer["Payload"].read())
    except ValueError as error:
        raise errors.AuthorizerConfigurationError() from error
    if not isinstance(verdict, dict):
        raise errors.AuthorizerConfigurationError()
    if "FunctionError" in answer:
        # How a function says that a token is none; any other failure is its own.
        if verdict.get("errorMessage") == "Unauthorized":
            raise errors.UnauthorizedError("Unauthorized")
        raise errors.AuthorizerFailureError()
    return verdict


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


def _is_about(statement: dict[str, Any], method_arn: str) -> bool:
    actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
    return any(_matches(each.lower(), "execute-api:invoke") for each in actions) and any(
        _matches(each, method_arn) for each in resources
    )


def _matches(pattern: str, text: str) -> bool:
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in pattern)
    return re.fullmatch("".join(parts), text) is not None


def _listed(one_or_more: Any) -> list[str]:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def _as_string(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
