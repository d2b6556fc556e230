"""Patches for MiniStack 1.5.33 where it differs from AWS, or is slow, in ways that affect Ferrite.

Each module is one patch, and `apply()` applies it. Its docstring states the AWS behavior that it restores or
the latency that it removes, what MiniStack does instead, and when to delete the patch. `apply()` raises
`PatchError` if MiniStack no longer has the code that the patch replaces. The tests in
tests/ministack/test_patches.py run with and without the patches. A test fails when MiniStack no longer needs
the patch; delete the patch then.
"""

from __future__ import annotations

from types import ModuleType

from . import (
    alarm_expressions,
    any_method,
    binary_media_types,
    code_cache,
    condition_functions,
    function_environment,
    function_properties,
    gateway_responses,
    http_proxy,
    leading_keys,
    log_drain,
    method_settings,
    missing_objects,
    mock_integrations,
    nagle,
    nested_transforms,
    rest_api_updates,
    ses_events,
    ses_permissions,
    ses_validation,
    stream_persistence,
    table_ttl,
    unknown_routes,
    update_delay,
    web_acls,
)
from .replacement import PatchError, replace

__all__ = ["PATCHES", "PatchError", "apply_all", "name_of", "replace"]

PATCHES: tuple[ModuleType, ...] = (
    nagle,
    log_drain,
    update_delay,
    function_environment,
    function_properties,
    table_ttl,
    any_method,
    http_proxy,
    mock_integrations,
    binary_media_types,
    gateway_responses,
    unknown_routes,
    method_settings,
    rest_api_updates,
    stream_persistence,
    code_cache,
    ses_events,
    ses_permissions,
    ses_validation,
    missing_objects,
    leading_keys,
    condition_functions,
    nested_transforms,
    alarm_expressions,
    web_acls,
)


def name_of(patch: ModuleType) -> str:
    """Returns the name of the patch in the README and in error messages."""
    return patch.__name__.rsplit(".", 1)[-1]


def apply_all() -> None:
    """Applies all patches in order. Raises `PatchError` with the name of the patch that cannot be applied."""
    for patch in PATCHES:
        try:
            patch.apply()
        except (PatchError, ImportError) as error:
            raise PatchError(f"patch {name_of(patch)}: {error}") from error
