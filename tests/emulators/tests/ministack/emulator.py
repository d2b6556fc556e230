"""A launched MiniStack for a test."""

from __future__ import annotations

from pathlib import Path

from .. import emulator


class MiniStack(emulator.Emulator):
    """Keeps its state, so that a test can stop and start it."""

    launcher = "ferrite_emulators.ministack"
    ready_path = "/_ministack/ready"
    template = Path(__file__).with_name("template.yaml")

    def options(self) -> list[str]:
        return ["--state-dir", str(self.folder / "state")]
