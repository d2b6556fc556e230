"""Tells that an object is not there only to whom may list its bucket.

Of an object that does not exist, GetObject and HeadObject answer 404 to a caller with `s3:ListBucket` and 403
to all others ("GetObject", Amazon S3 API Reference). MiniStack answers 404 to everybody, so a role that lacks
the permission is not noticed.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from .replacement import replace, require


def apply() -> None:
    """Adds the permission to what a request for a missing object needs."""
    from ministack.core import iam_actions
    from ministack.services import s3

    def with_listing(checks: Any) -> Any:
        def s3_additional_checks(
            method: str, path: str, headers: dict[str, str], body: bytes, params: dict[str, Any]
        ) -> list[tuple[str, str]]:
            needed: list[tuple[str, str]] = checks(method, path, headers, body, params)
            name, _, key = unquote(path).lstrip("/").partition("/")
            bucket = s3._buckets.get(name)
            asked = iam_actions._s3_action(method, path, params)
            if asked == "GetObject" and bucket is not None and key not in bucket["objects"]:
                needed = [*needed, ("s3:ListBucket", f"arn:aws:s3:::{name}")]
            return needed

        return s3_additional_checks

    require(s3, "_buckets")
    require(iam_actions, "_s3_action")
    replace(iam_actions, "s3_additional_checks", with_listing)
