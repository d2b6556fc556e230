"""A Lambda function for the launchers' tests: does what its event says. Zipped as `bootstrap`."""

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


def verdict(event: dict[str, Any]) -> dict[str, Any]:
    """What an authorizer answers for a token that says it."""
    effect = event["headers"]["Authorization"]
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": "ada",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"admin": True, "asked": event["path"]},
    }


if "START" in os.environ:
    print("last words of a start", flush=True)
    if os.environ["START"] == "fail":
        call("POST", "init/error", json.dumps({"errorType": "NoTable", "errorMessage": "no table"}))
    sys.exit(1)

while True:
    headers, payload = call("GET", "invocation/next")
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    event = json.loads(payload)
    what = event.get("do")
    answer: dict[str, Any] = {}
    outcome = "response"
    if what == "environment":
        answer = dict(os.environ)
    elif what == "headers":
        answer = {"pid": os.getpid(), **headers}
    elif what == "print":
        print(event["text"], file=sys.stderr if event.get("stderr") else sys.stdout, flush=True)
    elif what == "sleep":
        print("asleep", flush=True)
        time.sleep(event["seconds"])
        answer = {"pid": os.getpid(), "for": event.get("for")}
    elif what == "fail":
        answer, outcome = {"errorType": "NoStock", "errorMessage": "sold out"}, "error"
    elif what == "crash":
        print("last words", flush=True)
        os._exit(event.get("code", 3))
    elif what == "abort":
        os.abort()
    elif event.get("type") == "REQUEST":
        print("asked", flush=True)
        answer = verdict(event)
        if event["headers"]["Authorization"] == "nonsense":
            answer, outcome = {"errorType": "Token", "errorMessage": "Unauthorized"}, "error"
    elif "httpMethod" in event:
        answer = {"statusCode": 200, "body": json.dumps(event)}
    elif "Records" in event:
        print(payload.decode(), flush=True)
    call("POST", f"invocation/{request_id}/{outcome}", json.dumps(answer))
