"""Functions that patches use to replace parts of MiniStack.

They raise `PatchError` if a part no longer exists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Properties = dict[str, Any]


class PatchError(Exception):
    """A patch cannot be applied because MiniStack no longer has the code that it replaces."""


def require(owner: Any, *names: str, label: str = "") -> None:
    """Raises `PatchError` unless `owner` (a module, class or dict) has all of `names`.

    The error refers to `owner` as `label`, or as its `__name__` if `label` is empty.
    """
    for name in names:
        if not (name in owner if isinstance(owner, dict) else hasattr(owner, name)):
            where = label or getattr(owner, "__name__", "a dict")
            raise PatchError(f"MiniStack no longer has {name} in {where}")


def replace(owner: Any, name: str, make_replacement: Callable[[Any], Any], *, label: str = "") -> None:
    """Replaces the attribute or key `name` of `owner` (a module, class or dict) with `make_replacement(original)`.

    Raises `PatchError` if `owner` does not have `name`. The error refers to `owner` as in `require`.
    """
    require(owner, name, label=label)
    if isinstance(owner, dict):
        owner[name] = make_replacement(owner[name])
    else:
        setattr(owner, name, make_replacement(getattr(owner, name)))


def after_provisioning(
    resource_type: str, callback: Callable[[str, Properties], None]
) -> None:
    """Calls `callback(physical_id, properties)` after CloudFormation creates or updates a resource of `resource_type`.

    Raises `PatchError` if MiniStack lacks a create or update handler for `resource_type`.
    """
    from ministack.services.cloudformation import provisioners

    def on_create(create: Any) -> Any:
        def _create(logical_id: str, properties: Properties, *args: Any) -> Any:
            created = create(logical_id, properties, *args)
            callback(created[0], properties)
            return created

        return _create

    def on_update(update: Any) -> Any:
        def _update(physical_id: str, old: Properties, new: Properties, *args: Any, **kwargs: Any) -> Any:
            updated = update(physical_id, old, new, *args, **kwargs)
            callback(updated[0], new)
            return updated

        return _update

    require(provisioners, "_RESOURCE_HANDLERS")
    require(provisioners._RESOURCE_HANDLERS, resource_type, label="its resource handlers")
    handlers = provisioners._RESOURCE_HANDLERS[resource_type]
    label = f"its handlers for {resource_type}"
    replace(handlers, "create", on_create, label=label)
    replace(handlers, "update", on_update, label=label)
