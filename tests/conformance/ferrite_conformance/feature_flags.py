"""Evaluates feature flags: `python -m ferrite_conformance.feature_flags`.

Reads a list of cases from the standard input and writes the list of their results, both in JSON.
"""

from __future__ import annotations

import json
import sys
import warnings
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.feature_flags import FeatureFlags, comparators
from aws_lambda_powertools.utilities.feature_flags.base import StoreProvider
from dateutil.tz import tz


class TextStore(StoreProvider):
    """A store whose configuration is a JSON text."""

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def get_raw_configuration(self) -> dict[str, Any]:
        """Returns the parsed text."""
        return json.loads(self.text)

    def get_configuration(self) -> dict[str, Any]:
        """Returns the parsed text."""
        return self.get_raw_configuration


def set_clock(now: datetime) -> None:
    """Makes Powertools evaluate schedules at this time."""

    class FixedDatetime(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return now.astimezone(tz)

    comparators.datetime = FixedDatetime


def evaluate(case: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the values and the enabled features, or `None` if Powertools rejects the schema."""
    set_clock(datetime.fromisoformat(case["now"]))
    flags = FeatureFlags(store=TextStore(case["schema"]))
    context, default = case["context"], case["default"]
    try:
        values = [flags.evaluate(name=name, context=context, default=default) for name in case["names"]]
    except Exception:  # For some schemas, Powertools raises a TypeError or an AttributeError.
        return None
    try:
        enabled = flags.get_enabled_features(context=context)
    except AttributeError:
        enabled = None
    return {"values": values, "enabled": enabled}


# Use the time zone database of dateutil instead of that of the operating system, so that results do not depend on the machine.
tz.TZPATHS.clear()
warnings.simplefilter("ignore")
json.dump([evaluate(case) for case in json.load(sys.stdin)], sys.stdout)
