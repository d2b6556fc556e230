"""Returns 403 for a missing object if the caller does not have `s3:ListBucket`.

AWS: for an object that does not exist, GetObject and HeadObject return 404 to callers with `s3:ListBucket`
and 403 to all others ("GetObject", Amazon S3 API Reference).
MiniStack: returns 404 to every caller, so tests do not detect a role that lacks the permission.
Delete this patch when MiniStack returns 403 to callers without `s3:ListBucket`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from .replacement import replace, require


def apply() -> None:
    """Requires `s3:ListBucket` for requests for missing objects."""
    from ministack.core import iam_actions
    from ministack.services import s3

    def with_list_permission(checks: Any) -> Any:
        def s3_additional_checks(
            method: str, path: str, headers: dict[str, str], body: bytes, params: dict[str, Any]
        ) -> list[tuple[str, str]]:
            required: list[tuple[str, str]] = checks(method, path, headers, body, params)
            name, _, key = unquote(path).lstrip("/").partition("/")
            bucket = s3._buckets.get(name)
            action = iam_actions._s3_action(method, path, params)
            if action == "GetObject" and bucket is not None and key not in bucket["objects"]:
                required = [*required, ("s3:ListBucket", f"arn:aws:s3:::{name}")]
            return required

        return s3_additional_checks

    require(s3, "_buckets")
    require(iam_actions, "_s3_action")
    replace(iam_actions, "s3_additional_checks", with_list_permission)
