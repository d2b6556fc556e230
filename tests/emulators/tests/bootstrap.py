"""The Lambda function for the launcher tests. Its event selects what it does. Packaged as `bootstrap`."""

import http.client
import json
import os
import sys
import time
from typing import Any

runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def call(method: str, path: str, body: str | None = None) -> tuple[Any, bytes]:
    runtime.request(method, "/2018-06-01/runtime/" + path, body)
    response = runtime.getresponse()
    return response.headers, response.read()


def authorizer_response(event: dict[str, Any]) -> dict[str, Any]:
    """Returns an authorizer response whose effect is the value of the Authorization header."""
    effect = event["headers"]["Authorization"]
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": "ada",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"admin": True, "requested": event["path"]},
    }


if "INIT" in os.environ:
    print("about to exit during init", flush=True)
    if os.environ["INIT"] == "fail":
        call("POST", "init/error", json.dumps({"errorType": "NoTable", "errorMessage": "no table"}))
    sys.exit(1)

while True:
    headers, payload = call("GET", "invocation/next")
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    event = json.loads(payload)
    action = event.get("do")
    response: dict[str, Any] = {}
    path = "response"
    if action == "environment":
        response = dict(os.environ)
    elif action == "headers":
        response = {"pid": os.getpid(), **headers}
    elif action == "print":
        print(event["text"], file=sys.stderr if event.get("stderr") else sys.stdout, flush=True)
    elif action == "sleep":
        print("sleeping", flush=True)
        time.sleep(event["seconds"])
        response = {"pid": os.getpid(), "number": event.get("number")}
    elif action == "fail":
        response = {"errorType": "TestError", "errorMessage": "requested by the test"}
        path = "error"
    elif action == "crash":
        print("about to crash", flush=True)
        os._exit(event.get("code", 3))
    elif action == "abort":
        os.abort()
    elif event.get("type") == "REQUEST":
        print("authorizer invoked", flush=True)
        response = authorizer_response(event)
        if event["headers"]["Authorization"] == "invalid":
            response = {"errorType": "Token", "errorMessage": "Unauthorized"}
            path = "error"
    elif "httpMethod" in event:
        response = {"statusCode": 200, "body": json.dumps(event)}
    elif "Records" in event:
        print(payload.decode(), flush=True)
    call("POST", f"invocation/{request_id}/{path}", json.dumps(response))
