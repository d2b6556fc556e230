"""MiniStack's saved state: used again only when the run that saved it ended well.

MiniStack saves everything when it stops and nothing before, except S3's objects. After a crash the
files on disk are therefore of some earlier run; a caller that compares them with what it deployed
since would be misled, so they are dropped and the next run starts empty.
"""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path


class SavedState:
    """The state under `directory`; nothing else in that directory is touched."""

    def __init__(self, directory: Path) -> None:
        self.path = directory.resolve() / "ministack"
        self._whole = directory.resolve() / "ministack.whole"

    def open(self) -> None:
        """Makes the state ready for a run: what the last one saved, else empty."""
        if not self._whole.is_file() or self._whole.read_text() != _version():
            shutil.rmtree(self.path, ignore_errors=True)
        self._whole.unlink(missing_ok=True)
        self.path.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Marks the state as wholly written, by this version of MiniStack."""
        self._whole.write_text(_version())


def _version() -> str:
    return importlib.metadata.version("ministack")
