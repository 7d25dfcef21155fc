"""Watches a service from a process of its own: `watch.py PID PORT`.

It asks `/livez` all the time. For each line on standard input it prints what it saw since the line
before, as JSON. CPU times are those of the service: what others do on this machine is not in them.
"""

import contextlib
import http.client
import json
import os
import re
import select
import sys
import time
from pathlib import Path

PATIENCE = 10  # seconds until a probe is given up


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process; 0 once it has ended."""
    with contextlib.suppress(OSError):
        return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) makes the number
    return 0


def memory(pid: int, name: str) -> float:
    """Return the resident memory of a process in MB, `VmRSS`, or its peak, `VmHWM`."""
    with contextlib.suppress(OSError):
        if found := re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text("ascii")):
            return int(found[1]) / 1024
    return 0


def probe(client: http.client.HTTPConnection) -> bool:
    """Ask once."""
    try:
        client.request("GET", "/livez")
        client.getresponse().read()
    except (OSError, http.client.HTTPException):
        client.close()
        return False
    return True


def main() -> None:
    pid, port = map(int, sys.argv[1:])
    with contextlib.suppress(OSError):
        os.nice(-10)  # a probe that waits for a core would see what the service does meanwhile
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    while True:
        with contextlib.suppress(OSError):  # from now on, the peak is a new one
            Path(f"/proc/{pid}/clear_refs").write_text("5", "ascii")
        start, lost, held = memory(pid, "VmRSS"), 0, 0.0
        while not select.select([sys.stdin], [], [], 0.005)[0]:
            used = cpu(pid)
            lost += not probe(client)
            held = max(held, cpu(pid) - used)
        if not sys.stdin.readline():
            return
        grown, now = memory(pid, "VmHWM") - start, memory(pid, "VmRSS")
        seen = {"lost": lost, "held": held * 1000, "grown": grown, "memory": now}
        print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
