"""Adapts the OpenAPI document and the requests where the document cannot describe the API."""

import json
import re
import uuid

import schemathesis

HEADER = "Idempotency-Key"
RUN = uuid.uuid4().hex
sent = 0


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives each request its own Idempotency-Key. Invalid keys stay, because the API must reject them."""
    global sent
    key = (case.headers or {}).get(HEADER)
    if isinstance(key, str) and re.fullmatch(r"[!-~]{1,255}", key):
        sent += 1
        case.headers[HEADER] = f"{RUN}-{sent}"


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Describes the token as the bearer token that it is. The checks of authentication do not support OAuth 2.0."""
    raw_schema["components"]["securitySchemes"]["token"] = {"type": "http", "scheme": "bearer"}


@schemathesis.hook
def filter_body(context, body):
    """Leaves out tag characters and variation selectors above U+FFFF, which the patterns of names cannot contain."""
    text = json.dumps(body, ensure_ascii=False, default=str)
    return not any("\U000e0000" <= character <= "\U000e0fff" for character in text)
