"""MiniStack, patched where it differs from AWS: `python -m ferrite_emulators.ministack --help`."""
