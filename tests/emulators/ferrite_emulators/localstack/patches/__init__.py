"""Patches for differences between AWS and the free edition of LocalStack 4.13.1 that affect Ferrite.

Each module is one patch, and `apply()` applies it. Its docstring states the AWS behavior that it restores,
what LocalStack does instead, and when to delete the patch. The tests are in
tests/localstack/test_plugins.py; the test for `loopback` is in test_launcher.py.
"""

from __future__ import annotations

from types import ModuleType

from . import (
    deletion_policy,
    email_identity,
    gateway_responses,
    loopback,
    request_authorizers,
    s3_anonymous,
    ses_events,
    ses_validation,
    unknown_routes,
)

__all__ = ["PATCHES", "PatchError", "apply_all", "name_of"]

PATCHES: tuple[ModuleType, ...] = (
    loopback,
    gateway_responses,
    unknown_routes,
    request_authorizers,
    s3_anonymous,
    deletion_policy,
    email_identity,
    ses_events,
    ses_validation,
)


class PatchError(Exception):
    """A patch cannot be applied because LocalStack no longer has the code that it replaces."""


def name_of(patch: ModuleType) -> str:
    """Returns the name of the patch in the README and in error messages."""
    return patch.__name__.rsplit(".", 1)[-1]


def apply_all() -> None:
    """Applies all patches in order. Raises `PatchError` with the name of the patch that cannot be applied."""
    for patch in PATCHES:
        try:
            patch.apply()
        except (AttributeError, ImportError) as error:
            raise PatchError(f"patch {name_of(patch)}: {error}") from error
