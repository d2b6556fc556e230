"""Creates alarms on metric math expressions from a template.

AWS: an AWS::CloudWatch::Alarm has either `Metrics`, or `MetricName` and `Namespace` (AWS CloudFormation User
Guide).
MiniStack: rejects an alarm with `Metrics`. It does not evaluate metric math, so with this patch such an alarm
stays in the state INSUFFICIENT_DATA.
Delete this patch when MiniStack creates alarms with `Metrics`.
"""

from __future__ import annotations

from typing import Any

from .replacement import Properties, replace

# MiniStack requires both properties. It does not evaluate an alarm whose namespace is empty.
PLACEHOLDERS = {"MetricName": "expression", "Namespace": "expression"}


def apply() -> None:
    """Adds the expressions to the record that MiniStack stores for an alarm."""
    from ministack.services.cloudformation import provisioners

    def with_expressions(record: Any) -> Any:
        def _cw_metric_alarm_record(name: str, properties: Properties) -> Any:
            queries = properties.get("Metrics")
            if not queries:
                return record(name, properties)
            alarm = record(name, {**properties, "Metrics": None, **PLACEHOLDERS})
            return {**alarm, "MetricName": "", "Namespace": "", "Metrics": queries}

        return _cw_metric_alarm_record

    replace(provisioners, "_cw_metric_alarm_record", with_expressions)
