"""The environment variables that configure MiniStack, and those it inherits from the parent process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

INHERITED_VARIABLES = ("PATH", "LANG", "LC_ALL", "RUST_BACKTRACE")
"""The only variables that are inherited from the parent process.

The emulator and the functions must not inherit AWS profiles or keys, or the shell's MiniStack settings.
They must not inherit proxy settings, because functions call the emulator on loopback.
"""


def environment(
    port: int,
    scratch: Path,
    state: Path | None,
    parent_environment: Mapping[str, str],
    functions_port: int | None = None,
) -> dict[str, str]:
    """Returns the environment for a MiniStack process that listens on 127.0.0.1:`port`.

    MiniStack writes its temporary files below `scratch`. If `state` is given, MiniStack saves its state in
    that directory when it stops and loads it when it starts. If `functions_port` is given, functions call
    AWS at that port, which belongs to a proxy that forwards to `port`.
    """
    inherited = {
        name: parent_environment[name] for name in INHERITED_VARIABLES if name in parent_environment
    }
    persistence = {
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": f"{state}/s3",
    }
    return {
        **inherited,
        "TMPDIR": str(scratch),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{functions_port or port}",
        # Each function calls AWS with its own role, so that a missing permission is detected before production.
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        # These services listen on fixed ports. Ferrite does not use them, and two checkouts would conflict.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # MiniStack removes containers that it considers its own, so it must not find a Docker daemon.
        "DOCKER_HOST": f"unix://{scratch}/no-docker",
        **(persistence if state is not None else {}),
    }
