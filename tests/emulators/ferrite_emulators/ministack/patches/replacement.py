"""The ways a patch changes MiniStack, so that a release that moved something fails at start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Properties = dict[str, Any]


class PatchError(Exception):
    """A patch found nothing to replace: MiniStack was upgraded past what the patch was written for."""


def require(owner: Any, *names: str) -> None:
    """Raises `PatchError` unless `owner` (a module, a class or a dict) has each of `names`."""
    for name in names:
        if not (name in owner if isinstance(owner, dict) else hasattr(owner, name)):
            where = getattr(owner, "__name__", "its table of resource types")
            raise PatchError(f"MiniStack no longer has {name} in {where}")


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Sets `name` of `owner` (a module, a class or a dict) to `make(the original)`.

    Raises `PatchError` where there is no original.
    """
    require(owner, name)
    if isinstance(owner, dict):
        owner[name] = make(owner[name])
    else:
        setattr(owner, name, make(getattr(owner, name)))


def after_provisioning(resource_type: str, settle: Callable[[str, Properties], None]) -> None:
    """Calls `settle(physical id, properties)` after CloudFormation created or updated such a resource.

    Raises `PatchError` where MiniStack no longer provisions `resource_type` the way it did.
    """
    from ministack.services.cloudformation import provisioners

    def on_create(create: Any) -> Any:
        def _create(logical_id: str, properties: Properties, *rest: Any) -> Any:
            created = create(logical_id, properties, *rest)
            settle(created[0], properties)
            return created

        return _create

    def on_update(update: Any) -> Any:
        def _update(name: str, old: Properties, new: Properties, *rest: Any, **named: Any) -> Any:
            updated = update(name, old, new, *rest, **named)
            settle(updated[0], new)
            return updated

        return _update

    require(provisioners, "_RESOURCE_HANDLERS")
    require(provisioners._RESOURCE_HANDLERS, resource_type)
    handlers = provisioners._RESOURCE_HANDLERS[resource_type]
    replace(handlers, "create", on_create)
    replace(handlers, "update", on_update)
