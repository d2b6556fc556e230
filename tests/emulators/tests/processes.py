"""Finds the processes that a launcher started."""

from __future__ import annotations

import subprocess


def processes(launcher_pid: int) -> set[int]:
    """Returns the emulator and its functions: the launcher's child and the child's process group.

    Zombie processes are not included.
    """
    ps = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,pgid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in ps.stdout.splitlines()]
    groups = {pgid for _pid, ppid, pgid, _stat in rows if int(ppid) == launcher_pid}
    return {int(pid) for pid, _, pgid, stat in rows if pgid in groups and not stat.startswith("Z")}


def alive(pids: set[int]) -> set[int]:
    """Returns those of `pids` that are still running."""
    command = ["ps", "-o", "pid=,stat=", "-p", ",".join(map(str, pids))]
    ps = subprocess.run(command, capture_output=True, text=True)
    rows = [line.split() for line in ps.stdout.splitlines()]
    return {int(pid) for pid, stat in rows if not stat.startswith("Z")}
