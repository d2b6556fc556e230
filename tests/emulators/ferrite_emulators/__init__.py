"""Launchers for the AWS emulators that Ferrite runs on, one package for each emulator."""
