"""LocalStack on the host, with what its free edition lacks: `python -m ferrite_emulators.localstack --help`."""
