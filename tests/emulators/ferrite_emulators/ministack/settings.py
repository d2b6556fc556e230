"""What MiniStack is told, all of it through its environment, and what it may see of the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

KEPT_FROM_CALLER = ("PATH", "LANG", "LC_ALL", "RUST_BACKTRACE")
"""Nothing else of the caller's reaches the emulator or a function: no AWS profile or key, no proxy
(functions call the emulator on loopback), no setting of MiniStack's own left over in a shell."""


def environment(
    port: int,
    scratch: Path,
    state: Path | None,
    caller: Mapping[str, str],
    functions_port: int | None = None,
) -> dict[str, str]:
    """MiniStack's environment: bound to 127.0.0.1:`port`, its temporary files under `scratch`.

    With `state`, a folder, it writes its state there when it stops and reads it when it starts. With
    `functions_port`, functions call AWS there: a proxy that hands on to `port`.
    """
    persistence = {
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": f"{state}/s3",
    }
    return {
        **{name: caller[name] for name in KEPT_FROM_CALLER if name in caller},
        "TMPDIR": str(scratch),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{functions_port or port}",
        # Every function calls AWS with its own role: a missing permission fails here, not in production.
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        # Listeners on ports of their own, which nothing of ours uses and two checkouts would fight over.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # MiniStack removes containers that it takes for its own; it must not find a Docker daemon.
        "DOCKER_HOST": f"unix://{scratch}/no-docker",
        **(persistence if state is not None else {}),
    }
