"""`python -m workers`: a worker on the configured Redis. Any number of them may run, on any number of machines.

Jobs run in the worker's own process unless `--fork` is given (Linux servers: a job that dies then dies alone). SIGTERM
and Ctrl-C let the running job finish.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: more threads only fight over the cores
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import signal
import sys
import threading
import time

from maya_core import logs, settings
from maya_core.errors import ConfigurationError, MayaError
from maya_core.jobs.port import QueueName

_LOOK_EVERY_S = 1.0


def main(arguments: list[str]) -> int:
    """Work until told to stop; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("--fork", action="store_true", help="run each job in a process of its own")
    parser.add_argument(
        "--parent", type=int, default=0, help="end when this process, which started the worker, is gone"
    )
    parser.add_argument("--burst", action="store_true", help="end when nothing waits")
    parser.add_argument("queues", nargs="*", choices=[[], *QueueName], default=[], help="high default low")
    chosen = parser.parse_args(arguments)
    try:
        configured = settings.load()
    except ConfigurationError as error:
        sys.stderr.write(f"The worker cannot start.\n{error}\n")
        return 2
    logs.configure(configured.log_level, configured.secrets)
    if chosen.fork and not hasattr(os, "fork"):
        sys.stderr.write("This platform cannot fork; start the worker without --fork.\n")
        return 2
    if chosen.parent:
        threading.Thread(target=_end_with, args=(chosen.parent,), name="parent", daemon=True).start()
    return _work(queues=[QueueName(q) for q in chosen.queues] or list(QueueName), fork=chosen.fork, burst=chosen.burst)


def _work(*, queues: list[QueueName], fork: bool, burst: bool) -> int:
    from maya_core.stores.redis_client import connect_blocking
    from workers import process
    from workers.worker import make_worker

    try:
        url = process.current().container.redis.url
        if not url:
            sys.stderr.write("No Redis is configured and none can be embedded here: jobs run inside the app.\n")
            return 2
        with connect_blocking(url) as connection:
            make_worker(connection, perform=process.perform, queues=queues, fork=fork).work(
                burst=burst, logging_level="WARNING"
            )
    except MayaError as error:
        sys.stderr.write(f"The worker had to stop: {error}\n")
        return 1
    finally:
        process.close()
    return 0


def _end_with(parent: int) -> None:
    """Ask this process to stop once it has another parent: the one that would have stopped it was killed."""
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
