"""Evaluates `Fn::Split` in the `Conditions` of a template.

AWS: the values in a condition can be computed from parameters ("Condition functions", AWS CloudFormation
Template Reference).
MiniStack: evaluates only `Ref` and `Fn::Select` there. It selects from the unevaluated function, which fails
the deployment.
Delete this patch when MiniStack evaluates `Fn::Split` in conditions.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace, require


def apply() -> None:
    """Replaces each `Fn::Split` with its value before MiniStack evaluates the conditions."""
    from ministack.services.cloudformation import changesets, engine, handlers, stacks

    def resolve(value: Any, parameters: dict[str, Any]) -> Any:
        if isinstance(value, list):
            return [resolve(each, parameters) for each in value]
        if not isinstance(value, dict):
            return value
        if "Fn::Split" in value:
            return engine._resolve_refs(value, {}, parameters, {}, {}, "", "")
        return {name: resolve(each, parameters) for name, each in value.items()}

    def with_functions(evaluate: Any) -> Any:
        def _evaluate_conditions(template: dict[str, Any], parameters: dict[str, Any]) -> Any:
            conditions = resolve(template.get("Conditions") or {}, parameters)
            return evaluate({**template, "Conditions": conditions}, parameters)

        return _evaluate_conditions

    require(engine, "_resolve_refs")
    for module in (engine, changesets, handlers, stacks):
        replace(module, "_evaluate_conditions", with_functions)
