"""What the document cannot say: a request that is not the one before has an Idempotency-Key that is not the one before."""

import re
import uuid

import schemathesis

HEADER = "Idempotency-Key"
RUN = uuid.uuid4().hex
sent = 0


@schemathesis.hook
def before_call(context, case, kwargs):
    """Replaces a key that is a good one; one that has to be refused stays as it is."""
    global sent
    key = (case.headers or {}).get(HEADER)
    if isinstance(key, str) and re.fullmatch(r"[!-~]{1,255}", key):
        sent += 1
        case.headers[HEADER] = f"{RUN}-{sent}"
