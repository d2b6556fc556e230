"""What LocalStack is told, all of it through its environment, and what it may see of the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

KEPT_FROM_CALLER = ("PATH", "LANG", "LC_ALL", "RUST_BACKTRACE")
"""Nothing else of the caller's reaches the emulator or a function: no AWS profile or key, no proxy
(functions call the emulator on loopback), no setting of LocalStack's own left over in a shell."""

PLUGIN = "ferrite"
"""What our plug-ins are called in ferrite_emulators-1.dist-info/entry_points.txt."""


def environment(port: int, scratch: Path, caller: Mapping[str, str]) -> dict[str, str]:
    """LocalStack's environment: bound to 127.0.0.1:`port`, everything that it writes under `scratch`."""
    return {
        **{name: caller[name] for name in KEPT_FROM_CALLER if name in caller},
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        # On the host it would write below the user's home.
        "OVERRIDE_IN_DOCKER": "0",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "XDG_CACHE_HOME": str(scratch / "cache"),
        "FILESYSTEM_ROOT": str(scratch / "filesystem"),
        # Nothing of it listens elsewhere, calls home, fetches anything, or looks for a Docker daemon or for
        # the instance that it might run on.
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DOCKER_HOST": f"unix://{scratch}/no-docker",
        "AWS_EC2_METADATA_DISABLED": "true",
        # The plug-ins.
        "LAMBDA_RUNTIME_EXECUTOR": PLUGIN,
        "PROVIDER_OVERRIDE_DYNAMODB": PLUGIN,
        "PROVIDER_OVERRIDE_DYNAMODBSTREAMS": PLUGIN,
        # Queues and objects have URLs on this machine without a name server.
        "SQS_ENDPOINT_STRATEGY": "path",
        # As AWS: what is signed wrongly is refused, and a stack with what nobody can create fails.
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
        "CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES": "0",
        # A function that is created can be invoked at once, and an event source is polled as soon as on AWS.
        "LAMBDA_SYNCHRONOUS_CREATE": "1",
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.25",
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "0.5",
    }
