"""Starts LocalStack for Ferrite: `python -m ferrite_emulators.localstack --port N --ministack-python PATH`.

Runs in the foreground until SIGTERM, SIGINT or SIGHUP, then ends LocalStack, every function, and the
MiniStack that holds the tables. Ready when `http://127.0.0.1:N/_localstack/health` answers 200. Exits 0
when stopped, 1 when it had to be killed for that or could not start, 2 when the arguments are wrong or
the port is taken, else with LocalStack's own code.
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

PACKAGES = Path(__file__).resolve().parents[2]
"""The folder that holds `ferrite_emulators` and its plug-ins' metadata: what PYTHONPATH names."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Checks the port, then runs LocalStack under supervision."""
    options = _parser().parse_args(arguments)
    if ports.is_taken(options.port):
        print(f"ferrite-localstack: port {options.port} on 127.0.0.1 is in use", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="ferrite-localstack-") as scratch:
        environment = settings.environment(options.port, Path(scratch), os.environ)
        environment["PYTHONPATH"] = str(PACKAGES)
        return supervisor.run(_command(options), environment)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ferrite_emulators.localstack",
        description="LocalStack on 127.0.0.1, its functions host processes, its tables MiniStack's.",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=ports.port, required=True, metavar="N")
    parser.add_argument(
        "--ministack-python",
        type=_executable,
        required=True,
        metavar="PATH",
        help="the Python of MiniStack's environment: DynamoDB and its streams are MiniStack's",
    )
    parser.add_argument(
        "--functions-log",
        type=Path,
        metavar="FILE",
        help='append what functions print, as {"function": name, "line": text} a line',
    )
    return parser


def _executable(text: str) -> Path:
    if not os.access(text, os.X_OK):
        raise argparse.ArgumentTypeError(f"{text} cannot be run")
    # Not resolved: the link in bin/ is what makes it that environment's.
    return Path(text).absolute()


def _command(options: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "ferrite_emulators.localstack.server"]
    command += ["--ministack-python", str(options.ministack_python)]
    if options.functions_log is not None:
        command += ["--functions-log", str(options.functions_log.resolve())]
    return command


if __name__ == "__main__":
    sys.exit(main())
