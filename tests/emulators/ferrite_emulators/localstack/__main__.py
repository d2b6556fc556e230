"""Starts LocalStack for Ferrite: `python -m ferrite_emulators.localstack --port N --ministack-python PATH`.

Runs in the foreground until SIGTERM, SIGINT or SIGHUP. It then stops LocalStack, all functions, and the
MiniStack process that provides DynamoDB. LocalStack is ready when `http://127.0.0.1:N/_localstack/health`
returns 200.

Exit codes: 0 if stopped by a signal, 1 if it could not start or had to be killed, 2 if an argument is
invalid or the port is in use, otherwise LocalStack's exit code.
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
"""The directory for PYTHONPATH. It contains `ferrite_emulators` and the metadata of its plug-ins."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the arguments, checks the port, and runs LocalStack under the supervisor."""
    options = _parser().parse_args(arguments)
    if ports.is_in_use(options.port):
        message = f"port {options.port} on 127.0.0.1 is already in use"
        print(f"ferrite-localstack: {message}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="ferrite-localstack-") as scratch:
        environment = settings.environment(options.port, Path(scratch), os.environ)
        environment["PYTHONPATH"] = str(PACKAGES)
        return supervisor.run(_command(options), environment)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ferrite_emulators.localstack",
        description="Runs LocalStack on 127.0.0.1, with functions as host processes.",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=ports.port, required=True, metavar="N")
    parser.add_argument(
        "--ministack-python",
        type=_executable,
        required=True,
        metavar="PATH",
        help="the Python interpreter of MiniStack's virtual environment; MiniStack provides DynamoDB",
    )
    parser.add_argument(
        "--functions-log",
        type=Path,
        metavar="FILE",
        help='append function output to FILE, one {"function": name, "line": text} object per line',
    )
    return parser


def _executable(text: str) -> Path:
    if not os.access(text, os.X_OK):
        raise argparse.ArgumentTypeError(f"{text} is not an executable file")
    # Do not resolve the symbolic link: Python finds its virtual environment through the path in bin/.
    return Path(text).absolute()


def _command(options: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "ferrite_emulators.localstack.server"]
    command += ["--ministack-python", str(options.ministack_python)]
    if options.functions_log is not None:
        command += ["--functions-log", str(options.functions_log.resolve())]
    return command


if __name__ == "__main__":
    sys.exit(main())
