"""Takes alarms on metric math from a template.

AWS::CloudWatch::Alarm (AWS CloudFormation User Guide): `Metrics` stands in the place of `MetricName` and `Namespace`.
MiniStack refuses the resource. It computes no expression either, so such an alarm stays at
INSUFFICIENT_DATA.
"""

from __future__ import annotations

from typing import Any

from .replacement import Properties, replace

# MiniStack asks for both, and evaluates no alarm whose namespace is empty.
UNNAMED = {"MetricName": "expression", "Namespace": "expression"}


def apply() -> None:
    """Keeps an alarm's expressions beside what MiniStack keeps of every alarm."""
    from ministack.services.cloudformation import provisioners

    def with_expressions(record: Any) -> Any:
        def _cw_metric_alarm_record(name: str, properties: Properties) -> Any:
            queries = properties.get("Metrics")
            if not queries:
                return record(name, properties)
            alarm = record(name, {**properties, "Metrics": None, **UNNAMED})
            return {**alarm, "MetricName": "", "Namespace": "", "Metrics": queries}

        return _cw_metric_alarm_record

    replace(provisioners, "_cw_metric_alarm_record", with_expressions)
