"""The emulator process: starts MiniStack for DynamoDB, applies the patches, and runs LocalStack.

`python -m ferrite_emulators.localstack` starts it and sets its environment. Do not run it directly.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from ferrite_emulators import supervisor
from ferrite_emulators.ministack.functions_log import FunctionsLog

from .patches import PatchError, apply_all
from .tables import Tables, TablesError


def main() -> int:
    """Runs LocalStack until a signal stops it. Returns 1 if a patch does not apply or MiniStack does not start."""
    options = _options()
    supervisor.exit_when_supervisor_exits()
    # There is no state to save, and LocalStack's own shutdown takes longer than the supervisor allows.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        tables = Tables.start(options.ministack_python)
        # Import LocalStack while MiniStack starts: both take about equally long.
        from localstack.logging.setup import setup_logging_from_config
        from localstack.runtime import current

        from .functions.executor import ProcessExecutor

        setup_logging_from_config()
        if options.functions_log is not None:
            ProcessExecutor.functions_log = FunctionsLog(options.functions_log)
        apply_all()
        runtime = current.initialize_runtime()
        tables.wait_until_ready()
    except (PatchError, TablesError) as error:
        print(f"ferrite-localstack: {error}", file=sys.stderr)
        return 1
    runtime.run()
    return int(runtime.exit_code)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ministack-python", type=Path, required=True)
    parser.add_argument("--functions-log", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
