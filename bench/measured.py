"""Runs a command to its end and prints what the system counted, as JSON: ``python bench/measured.py COMMAND [ARG …]``.

A process of its own, and a small one: a process that is started begins with the memory of whoever starts it, and the
peak that is counted for it is never less.
"""

import json
import os
import sys
import time

started = time.perf_counter()
reading, writing = os.pipe()
nothing = os.open(os.devnull, os.O_RDWR)
child = os.posix_spawn(
    sys.argv[1],
    sys.argv[1:],
    os.environ,
    file_actions=[(os.POSIX_SPAWN_DUP2, nothing, 0), (os.POSIX_SPAWN_DUP2, writing, 1)],
)
os.close(writing)
length = 0
while part := os.read(reading, 1 << 20):
    length += len(part)
_, status, usage = os.wait4(child, 0)
print(
    json.dumps(
        {
            "seconds": time.perf_counter() - started,
            "cpu": usage.ru_utime + usage.ru_stime,
            "megabytes": usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10),
            "bytes": length,
            "status": os.waitstatus_to_exitcode(status),
        }
    )
)
