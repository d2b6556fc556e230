"""Runs a function's `bootstrap` as a process of this machine, and is Lambda to it."""
