"""The emulator process: applies the patches and runs MiniStack's main function.

`python -m ferrite_emulators.ministack` starts it and sets its environment. Do not run it directly.
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
"""How long MiniStack waits for open connections when it stops. MiniStack's default is 3 seconds."""


def main() -> int:
    """Runs MiniStack until a signal stops it. Returns 1 if a patch cannot be applied."""
    options = _options()
    supervisor.exit_when_supervisor_exits()
    os.environ.pop("PYTHONPATH", None)
    try:
        if options.patches == "all":
            apply_all()
        if options.functions_log is not None:
            FunctionsLog(options.functions_log).attach()
        _shorten_shutdown()
    except PatchError as error:
        print(f"ferrite-ministack: {error}", file=sys.stderr)
        return 1

    from ministack import app

    # MiniStack parses sys.argv too, and must not see the options above.
    sys.argv = ["ministack"]
    app.main()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--patches", choices=("all", "none"), required=True)
    parser.add_argument("--functions-log", type=Path)
    return parser.parse_args()


def _shorten_shutdown() -> None:
    from hypercorn.config import Config

    replace(Config, "graceful_timeout", lambda _: SHUTDOWN_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
