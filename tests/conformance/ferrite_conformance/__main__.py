"""Runs the function: `python -m ferrite_conformance`."""

from __future__ import annotations

import os

from .handlers import HANDLERS
from .runtime import serve

serve(HANDLERS[os.environ["_HANDLER"]])
