"""The processes that a launcher has started."""

from __future__ import annotations

import subprocess


def processes(launcher_pid: int) -> set[int]:
    """The launcher's child and all of that child's group: the emulator and its functions.

    Processes that have ended but that nobody has waited for do not count.
    """
    listed = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,pgid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    groups = {pgid for _pid, ppid, pgid, _stat in rows if int(ppid) == launcher_pid}
    return {int(pid) for pid, _, pgid, stat in rows if pgid in groups and not stat.startswith("Z")}


def alive(pids: set[int]) -> set[int]:
    """Those of `pids` that still run."""
    asked = ["ps", "-o", "pid=,stat=", "-p", ",".join(map(str, pids))]
    listed = subprocess.run(asked, capture_output=True, text=True)
    rows = [line.split() for line in listed.stdout.splitlines()]
    return {int(pid) for pid, stat in rows if not stat.startswith("Z")}
