"""Starts LocalStack for a test."""

from __future__ import annotations

import os
from pathlib import Path

from .. import emulator

MINISTACK_PYTHON = os.environ.get("MINISTACK_PYTHON", ".tools/ministack/bin/python")
"""MiniStack's Python interpreter. The default is relative to the checkout, where the tests run."""


class LocalStack(emulator.Emulator):
    """A LocalStack without saved state."""

    launcher = "ferrite_emulators.localstack"
    ready_path = "/_localstack/health"
    template = Path(__file__).with_name("template.yaml")

    def options(self) -> list[str]:
        return ["--ministack-python", MINISTACK_PYTHON]

    def add_function(self, name: str) -> None:
        """Creates the test function as `name`, without a stack."""
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role="arn:aws:iam::000000000000:role/any",
            Timeout=10,
            Code={"ZipFile": emulator.function_package()},
        )
        self.outputs[name] = name
