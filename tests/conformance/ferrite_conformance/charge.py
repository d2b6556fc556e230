"""What must not be done twice, and what is logged and counted of it."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics()

GATEWAY = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/charge"


class ChargeDeclined(Exception):
    """The gateway, which is the test, does not take the charge."""


def charge() -> Any:
    """Returns a receipt that no other charge has."""
    logger.info("charging", amount=1250)
    metrics.add_metric("Charges", MetricUnit.Count, 1)
    metrics.add_metric("Charges", MetricUnit.Count, 1)
    metrics.add_metric("ChargeTime", MetricUnit.Milliseconds, 12.5)
    try:
        with urllib.request.urlopen(GATEWAY, data=b"") as receipt:
            return json.load(receipt)
    except urllib.error.HTTPError as error:
        raise ChargeDeclined("the charge was declined") from error
