"""Gives each request its own Idempotency-Key, which the OpenAPI document cannot require."""

import re
import uuid

import schemathesis

HEADER = "Idempotency-Key"
RUN = uuid.uuid4().hex
sent = 0


@schemathesis.hook
def before_call(context, case, kwargs):
    """Replaces a valid key by a unique one. Invalid keys stay, because the API must reject them."""
    global sent
    key = (case.headers or {}).get(HEADER)
    if isinstance(key, str) and re.fullmatch(r"[!-~]{1,255}", key):
        sent += 1
        case.headers[HEADER] = f"{RUN}-{sent}"
