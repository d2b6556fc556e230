"""The emulator's own process: applies the patches, then runs MiniStack's main.

Started by `python -m ferrite_emulators.ministack`, which sets its environment; not to be run by hand.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ferrite_emulators import supervisor

from .functions_log import FunctionsLog
from .patches import PatchError, apply_all, replace

SHUTDOWN_SECONDS = 1.0
"""How long open connections may hold up a stop; MiniStack's own figure is 3."""


def main() -> int:
    """Runs MiniStack until it is signalled; 1 when a patch no longer fits."""
    options = _options()
    supervisor.end_with_supervisor()
    os.environ.pop("PYTHONPATH", None)
    try:
        if options.patches == "all":
            apply_all()
        if options.functions_log is not None:
            FunctionsLog(options.functions_log).attach()
        _stop_quickly()
    except PatchError as error:
        print(f"ferrite-ministack: {error}", file=sys.stderr)
        return 1

    from ministack import app

    # MiniStack reads the command line too.
    sys.argv = ["ministack"]
    app.main()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--patches", choices=("all", "none"), required=True)
    parser.add_argument("--functions-log", type=Path)
    return parser.parse_args()


def _stop_quickly() -> None:
    from hypercorn.config import Config

    replace(Config, "graceful_timeout", lambda _: SHUTDOWN_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
