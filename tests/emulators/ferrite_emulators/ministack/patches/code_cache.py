"""Removes a function's unpacked code once the function has other code.

MiniStack unpacks each version that it has run into the temporary folder and keeps them all. A debug
build is tens of megabytes a function, so an afternoon of edits would fill a small disk, or the memory
where the folder is a tmpfs.
"""

from __future__ import annotations

import shutil
from typing import Any

from .replacement import replace, require


def apply() -> None:
    """Sweeps the unpacked folders whenever MiniStack sweeps its other caches: code was replaced."""
    from ministack.services import lambda_svc

    def and_unpacked_code(sweep: Any) -> Any:
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
    replace(lambda_svc, "_sweep_extract_cache", and_unpacked_code)
