"""The environment variables that configure LocalStack, and those it inherits from the parent process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

INHERITED_VARIABLES = ("PATH", "LANG", "LC_ALL", "RUST_BACKTRACE")
"""The only variables that are inherited from the parent process.

The emulator and the functions must not inherit AWS profiles or keys, or the shell's LocalStack settings.
They must not inherit proxy settings, because functions call the emulator on loopback.
"""

PLUGIN = "ferrite"
"""The name of our plug-ins in ferrite_emulators-1.dist-info/entry_points.txt."""


def environment(port: int, scratch: Path, parent_environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment for a LocalStack process.

    It listens on 127.0.0.1:`port` and writes only below `scratch`.
    """
    inherited = {
        name: parent_environment[name] for name in INHERITED_VARIABLES if name in parent_environment
    }
    return {
        **inherited,
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        # Without these, LocalStack on the host writes to the user's home directory.
        "OVERRIDE_IN_DOCKER": "0",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "XDG_CACHE_HOME": str(scratch / "cache"),
        "FILESYSTEM_ROOT": str(scratch / "filesystem"),
        # Do not listen on other ports, send usage data, download files, or look for a Docker daemon or for
        # EC2 instance metadata.
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DOCKER_HOST": f"unix://{scratch}/no-docker",
        "AWS_EC2_METADATA_DISABLED": "true",
        # Use our plug-ins.
        "LAMBDA_RUNTIME_EXECUTOR": PLUGIN,
        "PROVIDER_OVERRIDE_DYNAMODB": PLUGIN,
        "PROVIDER_OVERRIDE_DYNAMODBSTREAMS": PLUGIN,
        # Use queue URLs that need no DNS server.
        "SQS_ENDPOINT_STRATEGY": "path",
        # As on AWS, reject invalid signatures and fail stacks that contain unsupported resource types.
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
        "CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES": "0",
        # Make new functions invocable immediately, and poll event sources about as often as AWS does.
        "LAMBDA_SYNCHRONOUS_CREATE": "1",
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.25",
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "0.5",
    }
