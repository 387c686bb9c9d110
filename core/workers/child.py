"""Where a child process begins: `python -m core.workers.child REQUESTS REPLIES MODULE`.

REQUESTS and REPLIES are the numbers of two inherited pipe ends (`-` on Windows: standard input and output, which are moved away before
anything can print to them). The order is the point: limits, sandbox, and only then the module with its native imports. MODULE stands on
the command line for whoever reads the process list; what counts is the `Start` frame.
"""

import importlib
import os
import signal
import sys
from typing import NoReturn

from core.records import kind
from core.workers import limits, sandbox
from core.workers.records import Hello, Ready, Start
from core.workers.serving import Channel, failure, serve


def main(arguments: list[str]) -> NoReturn:
    """Run a worker until whoever started it goes."""
    channel = Channel(*_pipes(arguments[0], arguments[1]))
    messages = channel.receive()
    start = next(messages)
    if not isinstance(start, Start):
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        barrier = sandbox.enter(start.spec)
        limits.apply(start.spec, start.parent)
        channel.send(Hello(pid=os.getpid(), barriers=barrier.names, missing=barrier.missing, tested=barrier.tested))
        sys.path[:0] = start.spec.imports
        handlers = importlib.import_module(start.spec.module).handlers()
    except Exception as error:  # noqa: BLE001 (reported to whoever starts the worker)
        channel.send(failure(0, error))
        os._exit(1)
    channel.send(Ready(kinds=tuple(kind(type_) for type_ in handlers)))
    serve(channel, messages, handlers, start.spec.threads)


def _pipes(requests: str, replies: str) -> tuple[int, int]:
    if requests != "-":
        return int(requests), int(replies)
    pair = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    return pair


if __name__ == "__main__":
    main(sys.argv[1:])
