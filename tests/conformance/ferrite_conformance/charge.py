"""The charge, which must not happen twice, with its log lines and metrics."""

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
    """The gateway, which the test simulates, declined the charge."""


def charge() -> Any:
    """Charges and returns the receipt, which is unique to the charge."""
    logger.info("charging", amount=1250)
    metrics.add_metric("Charges", MetricUnit.Count, 1)
    metrics.add_metric("Charges", MetricUnit.Count, 1)
    metrics.add_metric("ChargeTime", MetricUnit.Milliseconds, 12.5)
    try:
        with urllib.request.urlopen(GATEWAY, data=b"") as receipt:
            return json.load(receipt)
    except urllib.error.HTTPError as error:
        raise ChargeDeclined("the charge was declined") from error
