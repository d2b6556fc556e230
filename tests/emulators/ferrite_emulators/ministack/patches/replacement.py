"""Functions that patches use to replace parts of MiniStack. They fail at startup if a part no longer exists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Properties = dict[str, Any]


class PatchError(Exception):
    """A patch cannot be applied because MiniStack no longer has the code that it replaces."""


def require(owner: Any, *names: str) -> None:
    """Raises `PatchError` unless `owner` (a module, class or dict) has all of `names`."""
    for name in names:
        if not (name in owner if isinstance(owner, dict) else hasattr(owner, name)):
            where = getattr(owner, "__name__", "its table of resource types")
            raise PatchError(f"MiniStack no longer has {name} in {where}")


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Sets `name` of `owner` (a module, class or dict) to the result of `make`, called with the original value.

    Raises `PatchError` if `owner` does not have `name`.
    """
    require(owner, name)
    if isinstance(owner, dict):
        owner[name] = make(owner[name])
    else:
        setattr(owner, name, make(getattr(owner, name)))


def after_provisioning(
    resource_type: str, callback: Callable[[str, Properties], None]
) -> None:
    """Calls `callback(physical_id, properties)` after CloudFormation creates or updates a resource of the type.

    Raises `PatchError` if MiniStack has no create and update handlers for `resource_type`.
    """
    from ministack.services.cloudformation import provisioners

    def on_create(create: Any) -> Any:
        def _create(logical_id: str, properties: Properties, *args: Any) -> Any:
            created = create(logical_id, properties, *args)
            callback(created[0], properties)
            return created

        return _create

    def on_update(update: Any) -> Any:
        def _update(name: str, old: Properties, new: Properties, *args: Any, **kwargs: Any) -> Any:
            updated = update(name, old, new, *args, **kwargs)
            callback(updated[0], new)
            return updated

        return _update

    require(provisioners, "_RESOURCE_HANDLERS")
    require(provisioners._RESOURCE_HANDLERS, resource_type)
    handlers = provisioners._RESOURCE_HANDLERS[resource_type]
    replace(handlers, "create", on_create)
    replace(handlers, "update", on_update)
