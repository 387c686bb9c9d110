"""What a child process may use, and that it doesn't outlive its parent.

Memory is limited as address space (`WorkerSpec.memory`). A child writes no core dump, can't be read by other processes of the same user,
and writes no file at all unless its spec names a writable folder. Systems without these limits start the child without them.
"""

import os
import signal
import sys
from typing import Final

from core import egress
from core.workers.records import WorkerSpec

if sys.platform != "win32":
    import resource

OPEN_FILES: Final = 512
_PR_SET_PDEATHSIG: Final = 1


def apply(spec: WorkerSpec, parent: int) -> None:
    """Limit this process. Exits at once when `parent` is gone already."""
    if sys.platform == "win32":
        return
    _set_resources(spec)
    if spec.nice:
        os.nice(spec.nice)
    egress.harden()
    egress.control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _set_resources(spec: WorkerSpec) -> None:
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        files = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        if not spec.writable:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        if spec.memory and sys.platform == "linux":
            resource.setrlimit(resource.RLIMIT_AS, (spec.memory, spec.memory))
