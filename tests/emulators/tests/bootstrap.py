"""A Lambda function for the launcher's tests: does what its event says. Zipped as `bootstrap`."""

import http.client
import json
import os
import sys
import time
from typing import Any

runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def call(method: str, path: str, body: str | None = None) -> tuple[str | None, bytes]:
    runtime.request(method, "/2018-06-01/runtime/" + path, body)
    response = runtime.getresponse()
    return response.getheader("Lambda-Runtime-Aws-Request-Id"), response.read()


while True:
    request_id, payload = call("GET", "invocation/next")
    event = json.loads(payload)
    what = event.get("do")
    answer: dict[str, Any] = {}
    if what == "environment":
        answer = dict(os.environ)
    elif what == "print":
        print(event["text"], file=sys.stderr if event.get("stderr") else sys.stdout, flush=True)
    elif what == "sleep":
        print("asleep", flush=True)
        time.sleep(event["seconds"])
    elif what == "crash":
        print("last words", flush=True)
        os._exit(3)
    elif "httpMethod" in event:
        answer = {"statusCode": 200, "body": json.dumps(event)}
    elif "Records" in event:
        print(payload.decode(), flush=True)
    call("POST", f"invocation/{request_id}/response", json.dumps(answer))
