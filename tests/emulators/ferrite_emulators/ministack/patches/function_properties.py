"""Honours `ReservedConcurrentExecutions` and `DeadLetterConfig` of a template.

AWS::Lambda::Function (AWS CloudFormation User Guide): the number of simultaneous executions reserved,
beyond which a call is throttled with 429; the queue or topic that gets an asynchronous event once its
retries are used up. MiniStack enforces both when its Lambda API is told them, but leaves them out of
the functions that CloudFormation creates and updates.
"""

from __future__ import annotations

from .replacement import Properties, after_provisioning, require


def apply() -> None:
    """Sets both on each function from its resource's properties."""
    from ministack.services import lambda_svc

    def settle(name: str, properties: Properties) -> None:
        function = lambda_svc._functions[name]
        reserved = properties.get("ReservedConcurrentExecutions")
        function["concurrency"] = None if reserved is None else int(reserved)
        function["config"].pop("DeadLetterConfig", None)
        if properties.get("DeadLetterConfig"):
            function["config"]["DeadLetterConfig"] = dict(properties["DeadLetterConfig"])

    require(lambda_svc, "_functions")
    after_provisioning("AWS::Lambda::Function", settle)
