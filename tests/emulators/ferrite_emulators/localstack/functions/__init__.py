"""Runs a function's `bootstrap` as a host process and serves the Lambda Runtime API to it."""
