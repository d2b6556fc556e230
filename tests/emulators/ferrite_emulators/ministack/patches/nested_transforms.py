"""Applies the transforms in the template of a nested stack.

AWS: CloudFormation processes the template of a nested stack like any other ("AWS::LanguageExtensions
transform", AWS CloudFormation User Guide).
MiniStack: does not transform the template, and treats its `Fn::ForEach` loops as resources of an unknown
type.
Delete this patch when MiniStack applies transforms to nested templates.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from .replacement import Properties, replace, require


def apply() -> None:
    """Transforms each nested template after MiniStack checks the capabilities of the outer stack."""
    from ministack.services.cloudformation import engine, provisioners

    parameters: ContextVar[list[dict[str, str]]] = ContextVar("parameters")

    def with_parameters(deploy: Any) -> Any:
        def _cfn_nested_stack_deploy(
            logical_id: str, properties: Properties, *args: Any, **kwargs: Any
        ) -> Any:
            values = properties.get("Parameters") or {}
            token = parameters.set([{"Key": key, "Value": str(values[key])} for key in values])
            try:
                return deploy(logical_id, properties, *args, **kwargs)
            finally:
                parameters.reset(token)

        return _cfn_nested_stack_deploy

    def with_transforms(check: Any) -> Any:
        def _check_nested_stack_capabilities(outer: str, template: dict[str, Any]) -> None:
            check(outer, template)
            transformed = engine._apply_transforms(template, parameters.get())
            if isinstance(transformed, engine._TransformFailed):
                raise ValueError(transformed.error)
            # The caller continues with the template object that it passed, so change it in place.
            entries = dict(transformed)
            template.clear()
            template.update(entries)

        return _check_nested_stack_capabilities

    require(engine, "_apply_transforms", "_TransformFailed")
    replace(provisioners, "_cfn_nested_stack_deploy", with_parameters)
    replace(provisioners, "_check_nested_stack_capabilities", with_transforms)
