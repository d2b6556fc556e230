"""MiniStack's saved state, which is reused only after a clean stop.

MiniStack saves its state when it stops, except for S3 objects, which it saves when they are written. After
a crash, the files on disk are from an earlier run and do not match what was deployed since then. The next
run deletes them and starts empty.
"""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path


class SavedState:
    """The state below `directory`. Other files in the directory are not changed."""

    def __init__(self, directory: Path) -> None:
        self.path = directory.resolve() / "ministack"
        self._marker = directory.resolve() / "ministack.whole"

    def open(self) -> None:
        """Prepares the state for a run. Deletes it unless the same MiniStack version stopped cleanly."""
        if not self._marker.is_file() or self._marker.read_text() != _version():
            shutil.rmtree(self.path, ignore_errors=True)
        self._marker.unlink(missing_ok=True)
        self.path.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Marks the state as completely saved by this version of MiniStack."""
        self._marker.write_text(_version())


def _version() -> str:
    return importlib.metadata.version("ministack")
