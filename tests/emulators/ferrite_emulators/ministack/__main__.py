"""Starts MiniStack for Ferrite: `python -m ferrite_emulators.ministack --port N`.

Runs in the foreground until SIGTERM, SIGINT or SIGHUP, then ends MiniStack and every function.
Ready when `http://127.0.0.1:N/_ministack/ready` answers 200. Exits 0 when stopped, 1 when it had to be
killed for that, 2 when the arguments are wrong or the port is taken, else with MiniStack's own code.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ferrite_emulators import ports, supervisor

from . import settings
from .state import SavedState

PACKAGES = Path(__file__).resolve().parents[2]
"""The folder that holds `ferrite_emulators`: what PYTHONPATH names."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Checks the port, then runs MiniStack under supervision."""
    options = _parser().parse_args(arguments)
    if ports.is_taken(options.port):
        print(f"ferrite-ministack: port {options.port} on 127.0.0.1 is in use", file=sys.stderr)
        return 2
    saved = SavedState(options.state_dir) if options.state_dir is not None else None
    if saved is not None:
        saved.open()
    with tempfile.TemporaryDirectory(prefix="ferrite-ministack-") as scratch:
        environment = settings.environment(
            options.port,
            Path(scratch),
            saved.path if saved is not None else None,
            os.environ,
            options.functions_port,
        )
        environment["PYTHONPATH"] = str(PACKAGES)
        code = supervisor.run(_command(options), environment)
    if saved is not None and code == 0:
        saved.close()
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ferrite_emulators.ministack",
        description="MiniStack with AUTH=true on 127.0.0.1, patched where it differs from AWS.",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=ports.port, required=True, metavar="N")
    parser.add_argument(
        "--state-dir",
        type=Path,
        metavar="DIR",
        help="keep state here over a stop and start, but not over a crash (default: not kept)",
    )
    parser.add_argument(
        "--functions-log",
        type=Path,
        metavar="FILE",
        help='append what functions print, as {"function": name, "line": text} a line',
    )
    parser.add_argument(
        "--functions-port",
        type=ports.port,
        metavar="N",
        help="where functions call AWS: a proxy that hands on to --port (default: --port itself)",
    )
    parser.add_argument(
        "--unpatched",
        action="store_true",
        help="as MiniStack comes: to see whether a fault is a patch's",
    )
    return parser


def _command(options: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "ferrite_emulators.ministack.server"]
    command += ["--patches", "none" if options.unpatched else "all"]
    if options.functions_log is not None:
        command += ["--functions-log", str(options.functions_log.resolve())]
    return command


if __name__ == "__main__":
    sys.exit(main())
