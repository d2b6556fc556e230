"""Where MiniStack 1.5.33 differs from AWS, or is slow, in a way that Ferrite meets.

One patch a module. Its docstring says which AWS behaviour it restores, or which latency it takes
out; `apply()` does it, and raises `PatchError` when MiniStack no longer has what it replaces. Each has
a test in tests/ministack/test_patches.py that runs with and without the patches, and fails when MiniStack no
longer needs this one: then delete the patch.
"""

from __future__ import annotations

from types import ModuleType

from . import (
    alarm_expressions,
    any_method,
    binary_media_types,
    code_cache,
    function_environment,
    function_properties,
    gateway_responses,
    leading_keys,
    log_drain,
    method_settings,
    missing_objects,
    mock_integrations,
    nagle,
    nested_transforms,
    ses_events,
    ses_permissions,
    ses_refusals,
    stream_persistence,
    table_ttl,
    web_acls,
)
from .replacement import PatchError, replace

__all__ = ["PATCHES", "PatchError", "apply_all", "name_of", "replace"]

PATCHES: tuple[ModuleType, ...] = (
    nagle,
    log_drain,
    function_environment,
    function_properties,
    table_ttl,
    any_method,
    mock_integrations,
    binary_media_types,
    gateway_responses,
    method_settings,
    stream_persistence,
    code_cache,
    ses_events,
    ses_permissions,
    ses_refusals,
    missing_objects,
    leading_keys,
    nested_transforms,
    alarm_expressions,
    web_acls,
)


def name_of(patch: ModuleType) -> str:
    """The patch's name, as the README and error messages give it."""
    return patch.__name__.rsplit(".", 1)[-1]


def apply_all() -> None:
    """Applies every patch, in order; raises `PatchError` naming the patch that no longer fits."""
    for patch in PATCHES:
        try:
            patch.apply()
        except (PatchError, ImportError) as error:
            raise PatchError(f"patch {name_of(patch)}: {error}") from error
