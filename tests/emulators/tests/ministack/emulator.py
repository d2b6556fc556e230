"""Starts MiniStack for a test."""

from __future__ import annotations

from pathlib import Path

from .. import emulator


class MiniStack(emulator.Emulator):
    """A MiniStack that saves its state, so that a test can restart it."""

    launcher = "ferrite_emulators.ministack"
    ready_path = "/_ministack/ready"
    template = Path(__file__).with_name("template.yaml")

    def options(self) -> list[str]:
        return ["--state-dir", str(self.folder / "state")]
