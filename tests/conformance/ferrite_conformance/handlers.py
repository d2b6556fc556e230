"""The two handlers, written as Powertools' documentation recommends.

The options of `IdempotencyConfig` make its records identical to those of the Rust functions.
"""

from __future__ import annotations

import json
import os
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyValidationError,
)

from .charge import ChargeDeclined, charge, logger, metrics
from .runtime import Context

TABLE = os.environ["IDEMPOTENCY_TABLE_NAME"]
DAY_SECONDS = 24 * 60 * 60

EVENTS = IdempotencyConfig(
    event_key_jmespath="key",
    payload_validation_jmespath="payload",
    hash_function="sha256",
    expires_after_seconds=DAY_SECONDS,
)
REQUESTS = IdempotencyConfig(
    event_key_jmespath='[requestContext.authorizer.sub, headers."idempotency-key"]',
    payload_validation_jmespath="powertools_json(body)",
    hash_function="sha256",
    expires_after_seconds=DAY_SECONDS,
)


def compact(value: Any) -> str:
    """Returns `value` as JSON without spaces, as the Rust functions write it."""
    return json.dumps(value, separators=(",", ":"))


@idempotent_function(
    data_keyword_argument="event",
    persistence_store=DynamoDBPersistenceLayer(table_name=TABLE),
    config=EVENTS,
    key_prefix="charge",
)
def charge_event(event: dict[str, Any]) -> Any:
    """Charges once for each `key`."""
    return charge()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handle_event(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Handles an event. Returns an HTTP response, so that the tests can treat both handlers alike."""
    EVENTS.register_lambda_context(context)
    try:
        return {"statusCode": 201, "body": compact(charge_event(event=event))}
    except IdempotencyAlreadyInProgressError:
        return {"statusCode": 409}
    except IdempotencyValidationError:
        return {"statusCode": 422}
    except ChargeDeclined:
        return {"statusCode": 500}


@idempotent_function(
    data_keyword_argument="request",
    persistence_store=DynamoDBPersistenceLayer(table_name=TABLE),
    config=REQUESTS,
    key_prefix="charge",
)
def charge_request(request: dict[str, Any]) -> dict[str, Any]:
    """Charges once for each `Idempotency-Key` of each caller."""
    return {
        "statusCode": 201,
        "headers": {"content-type": "application/json"},
        "body": compact(charge()),
    }


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(correlation_id_path='headers."x-correlation-id"')
def handle_request(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """Handles a request of API Gateway."""
    REQUESTS.register_lambda_context(context)
    try:
        return charge_request(request=request)
    except IdempotencyAlreadyInProgressError:
        return {"statusCode": 409}
    except IdempotencyValidationError:
        return {"statusCode": 422}
    except ChargeDeclined:
        logger.exception("not charged", amount=1250)
        return {"statusCode": 500}


HANDLERS = {"event": handle_event, "request": handle_request}
"""The handlers by their names in `_HANDLER`."""
