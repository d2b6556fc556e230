"""Starts MiniStack for Ferrite: `python -m ferrite_emulators.ministack --port N`.

Runs in the foreground until SIGTERM, SIGINT or SIGHUP. It then stops MiniStack and all functions. MiniStack
is ready when `http://127.0.0.1:N/_ministack/ready` returns 200.

Exit codes: 0 if stopped by a signal, 1 if it had to be killed, 2 if an argument is invalid or the port is
in use, otherwise MiniStack's exit code.
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
"""The directory for PYTHONPATH. It contains `ferrite_emulators`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the arguments, checks the port, and runs MiniStack under the supervisor."""
    options = _parser().parse_args(arguments)
    if ports.is_in_use(options.port):
        print(f"ferrite-ministack: port {options.port} on 127.0.0.1 is already in use", file=sys.stderr)
        return 2
    saved_state = SavedState(options.state_dir) if options.state_dir is not None else None
    if saved_state is not None:
        saved_state.open()
    with tempfile.TemporaryDirectory(prefix="ferrite-ministack-") as scratch:
        environment = settings.environment(
            options.port,
            Path(scratch),
            saved_state.path if saved_state is not None else None,
            os.environ,
            options.functions_port,
        )
        environment["PYTHONPATH"] = str(PACKAGES)
        code = supervisor.run(_command(options), environment)
    if saved_state is not None and code == 0:
        saved_state.close()
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ferrite_emulators.ministack",
        description="Runs MiniStack on 127.0.0.1 with AUTH=true and with patches for its differences from AWS.",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=ports.port, required=True, metavar="N")
    parser.add_argument(
        "--state-dir",
        type=Path,
        metavar="DIR",
        help="save the state to DIR on a clean stop and load it on start (default: not saved)",
    )
    parser.add_argument(
        "--functions-log",
        type=Path,
        metavar="FILE",
        help='append function output to FILE, one {"function": name, "line": text} object per line',
    )
    parser.add_argument(
        "--functions-port",
        type=ports.port,
        metavar="N",
        help="the port of a proxy to --port through which functions call AWS (default: --port)",
    )
    parser.add_argument(
        "--unpatched",
        action="store_true",
        help="run MiniStack without patches, to check whether a patch causes a problem",
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
