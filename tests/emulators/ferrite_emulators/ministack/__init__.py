"""Runs MiniStack with patches for its differences from AWS: `python -m ferrite_emulators.ministack --help`."""
