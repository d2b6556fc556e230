"""Runs LocalStack on the host, with plug-ins and patches: `python -m ferrite_emulators.localstack --help`."""
