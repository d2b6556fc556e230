"""Where LocalStack 4.13.1's free edition differs from AWS in a way that Ferrite meets.

One patch a module. Its docstring says which AWS behaviour it restores; `apply()` does it. Each has a test
in tests/localstack/test_plugins.py, `loopback` in test_launcher.py.
"""

from __future__ import annotations

from types import ModuleType

from . import (
    email_identity,
    gateway_responses,
    loopback,
    request_authorizers,
    s3_anonymous,
    ses_events,
    ses_refusals,
)

__all__ = ["PATCHES", "PatchError", "apply_all", "name_of"]

PATCHES: tuple[ModuleType, ...] = (
    loopback,
    gateway_responses,
    request_authorizers,
    s3_anonymous,
    email_identity,
    ses_events,
    ses_refusals,
)


class PatchError(Exception):
    """A patch found nothing to replace: LocalStack was upgraded past what the patch was written for."""


def name_of(patch: ModuleType) -> str:
    """The patch's name, as the README and error messages give it."""
    return patch.__name__.rsplit(".", 1)[-1]


def apply_all() -> None:
    """Applies every patch, in order; raises `PatchError` naming the patch that no longer fits."""
    for patch in PATCHES:
        try:
            patch.apply()
        except (AttributeError, ImportError) as error:
            raise PatchError(f"patch {name_of(patch)}: {error}") from error
