"""Applies the transforms of a nested stack's template.

"AWS::LanguageExtensions transform" (AWS CloudFormation User Guide) says nothing else of nested stacks: their
templates are processed like any other. MiniStack takes one as it is written, and looks for resources of
the type of its loops.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from .replacement import Properties, replace, require


def apply() -> None:
    """Transforms each nested template once MiniStack has found that the outer stack may have it."""
    from ministack.services.cloudformation import engine, provisioners

    parameters: ContextVar[list[dict[str, str]]] = ContextVar("parameters")

    def knowing_parameters(deploy: Any) -> Any:
        def _cfn_nested_stack_deploy(
            logical_id: str, properties: Properties, *rest: Any, **named: Any
        ) -> Any:
            given = properties.get("Parameters") or {}
            token = parameters.set([{"Key": key, "Value": str(given[key])} for key in given])
            try:
                return deploy(logical_id, properties, *rest, **named)
            finally:
                parameters.reset(token)

        return _cfn_nested_stack_deploy

    def then_transformed(check: Any) -> Any:
        def _check_nested_stack_capabilities(outer: str, template: dict[str, Any]) -> None:
            check(outer, template)
            transformed = engine._apply_transforms(template, parameters.get())
            if isinstance(transformed, engine._TransformFailed):
                raise ValueError(transformed.error)
            # The caller goes on with the template that it handed over.
            entries = dict(transformed)
            template.clear()
            template.update(entries)

        return _check_nested_stack_capabilities

    require(engine, "_apply_transforms", "_TransformFailed")
    replace(provisioners, "_cfn_nested_stack_deploy", knowing_parameters)
    replace(provisioners, "_check_nested_stack_capabilities", then_transformed)
