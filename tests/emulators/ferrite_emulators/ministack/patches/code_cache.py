"""Removes the unpacked code of a function after its code is replaced.

MiniStack unpacks each code version that it runs into the temporary directory and never removes it. A debug
build of a function is tens of megabytes, so a few hours of development could fill a small disk, or the
memory if the directory is a tmpfs.
Delete this patch when MiniStack removes unpacked code that no function uses.
"""

from __future__ import annotations

import shutil
from typing import Any

from .replacement import replace, require


def apply() -> None:
    """Removes unused code directories when MiniStack cleans its other caches, after code is replaced."""
    from ministack.services import lambda_svc

    def with_unpacked_code(sweep: Any) -> Any:
        def _sweep_extract_cache() -> None:
            sweep()
            live = {
                lambda_svc._b64_sha_to_hex(owner["config"].get("CodeSha256", ""))
                for function in list(lambda_svc._functions._data.values())
                for owner in [function, *function.get("versions", {}).values()]
            }
            with lambda_svc._provided_code_lock:
                for sha in lambda_svc._provided_code_dirs.keys() - live:
                    shutil.rmtree(lambda_svc._provided_code_dirs.pop(sha), ignore_errors=True)

        return _sweep_extract_cache

    require(
        lambda_svc, "_functions", "_b64_sha_to_hex", "_provided_code_lock", "_provided_code_dirs"
    )
    replace(lambda_svc, "_sweep_extract_cache", with_unpacked_code)
