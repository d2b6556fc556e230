"""Applies `ReservedConcurrentExecutions` and `DeadLetterConfig` from a template.

AWS: Lambda throttles invocations beyond the reserved concurrency with 429. It sends an asynchronous event to
the dead-letter queue or topic when its retries are exhausted (AWS::Lambda::Function, AWS CloudFormation User
Guide).
MiniStack: enforces both if they are set through the Lambda API, but ignores them for functions that
CloudFormation creates or updates.
Delete this patch when MiniStack applies both properties from a template.
"""

from __future__ import annotations

from .replacement import Properties, after_provisioning, require


def apply() -> None:
    """Sets both properties when CloudFormation creates or updates a function."""
    from ministack.services import lambda_svc

    def set_properties(name: str, properties: Properties) -> None:
        function = lambda_svc._functions[name]
        reserved = properties.get("ReservedConcurrentExecutions")
        function["concurrency"] = None if reserved is None else int(reserved)
        function["config"].pop("DeadLetterConfig", None)
        if properties.get("DeadLetterConfig"):
            function["config"]["DeadLetterConfig"] = dict(properties["DeadLetterConfig"])

    require(lambda_svc, "_functions")
    after_provisioning("AWS::Lambda::Function", set_properties)
