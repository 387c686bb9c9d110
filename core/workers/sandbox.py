"""Shuts a child process in, before it has threads and before anything native is imported.

Each layer is tried on its own; what the system refuses is reported (`Barrier.missing`), never assumed:

    namespace   a user, network and IPC namespace of its own: no interface is there, not even a loopback
    storage     for `WorkerSpec.hidden`: a mount namespace in which these folders are memory of its own, gone when it ends
    landlock    files: reads what Python, this program and the spec need; writes only below `WorkerSpec.writable`; runs no program
    seccomp     system calls: no sockets, no new programs or processes, no tracing, mounting or kernel keys, no io_uring; no signal to
                another process, no memory or queue shared with one, no change of a file's owner, rights or length by its name

A system without these (macOS, Windows) runs the child in a process of its own with a clean environment, and the report is empty.
"""

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from core import egress
from core.egress import Barrier, Rule
from core.workers import graphics
from core.workers.records import WorkerSpec

PROGRAM: Final = Path(__file__).resolve().parent.parent.parent
"""The folder that holds the package `core`."""

# Read by the loader, by C libraries at their start, and by what counts processors and memory.
_SYSTEM: Final = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/usr/share/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/version",
    "/proc/filesystems",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
)
_WRITABLE: Final = ("/dev/null",)

_CLONE_THREAD: Final = 0x10000
_RULES: Final = (
    Rule("execve"),
    Rule("execveat"),
    Rule("fork"),
    Rule("vfork"),
    Rule("clone", argument=0, mask=_CLONE_THREAD, allowed=(_CLONE_THREAD,)),
    Rule("clone3", error=errno.ENOSYS),  # its flags lie in memory; C libraries fall back to clone
    Rule("prlimit64", argument=0, allowed=(0,)),
    Rule("ptrace"),
    Rule("process_vm_readv"),
    Rule("process_vm_writev"),
    Rule("process_madvise"),
    Rule("pidfd_open"),
    Rule("pidfd_getfd"),
    Rule("kcmp"),
    Rule("perf_event_open"),
    Rule("bpf"),
    Rule("userfaultfd"),
    Rule("add_key"),
    Rule("request_key"),
    Rule("keyctl"),
    Rule("mount"),
    Rule("umount2"),
    Rule("pivot_root"),
    Rule("chroot"),
    Rule("open_tree"),
    Rule("move_mount"),
    Rule("fsopen"),
    Rule("fsconfig"),
    Rule("fsmount"),
    Rule("fspick"),
    Rule("mount_setattr"),
    Rule("unshare"),
    Rule("setns"),
    Rule("open_by_handle_at"),
    Rule("init_module"),
    Rule("finit_module"),
    Rule("delete_module"),
    Rule("kexec_load"),
    Rule("kexec_file_load"),
    Rule("swapon"),
    Rule("reboot"),
    Rule("syslog"),
    Rule("pidfd_send_signal"),
    Rule("tkill"),
)
# Of other processes of the same user, in case there is no namespace: memory, queues and semaphores that they share by number.
_SHARED: Final = tuple(
    Rule(f"{kind}{call}")
    for kind, calls in (
        ("shm", ("get", "at", "ctl")),
        ("sem", ("get", "op", "ctl", "timedop")),
        ("msg", ("get", "snd", "rcv", "ctl")),
        ("mq_", ("open", "unlink")),
    )
    for call in calls
)
# What Landlock leaves open for every file that the user owns: to empty it (before its version 3), to change who may read it and when it was changed
# last, and to be told which names are made and used in a folder.
_ATTRIBUTES: Final = tuple(
    Rule(call)
    for call in (
        "truncate",
        "chmod",
        "fchmodat",
        "fchmodat2",
        "chown",
        "lchown",
        "fchownat",
        "setxattr",
        "lsetxattr",
        "setxattrat",
        "removexattr",
        "lremovexattr",
        "removexattrat",
        "inotify_init",
        "inotify_init1",
        "inotify_add_watch",
        "fanotify_init",
        "utime",
        "utimes",
        "futimesat",
        "utimensat",
    )
)
# The same of a file that is open, if only for reading. Whoever writes files needs these.
_OPEN_ATTRIBUTES: Final = tuple(Rule(call) for call in ("fchmod", "fchown", "fsetxattr", "fremovexattr"))
# Signals, which Landlock keeps in from version 6 on: only to this process.
_SIGNALS: Final = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")

_NEW_SPACES: Final = 0x10000000 | 0x40000000 | 0x08000000  # CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC
_NEW_MOUNTS: Final = 0x00020000  # CLONE_NEWNS
_PRIVATE_ALL: Final = (1 << 14) | (1 << 18)  # MS_REC | MS_PRIVATE
_PLAIN: Final = 2 | 4 | 8  # MS_NOSUID | MS_NODEV | MS_NOEXEC

# include/uapi/linux/landlock.h. The rights of each version of the interface, which is what one can ask the kernel to handle.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_FIRST: Final = (1 << 13) - 1  # execute, read, write, list, remove, make: version 1
_LINKS: Final = 1 << 13  # linking and renaming across folders: version 2
_MAKE_DEVICES: Final = (1 << 6) | (1 << 9) | (1 << 10) | (1 << 11)  # character device, socket, pipe, block device
_EXECUTE: Final = 1
_TCP: Final = 3  # bind and connect: version 4
_SCOPES: Final = 3  # abstract sockets and signals: version 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("parent", ctypes.c_int32))


def enter(spec: WorkerSpec) -> Barrier:
    """Shut this process in. Returns what is in force, found out by trying where it can be tried."""
    if sys.platform != "linux":
        return Barrier(missing=tuple(f"{name}: not on {sys.platform}" for name in ("namespace", "landlock", "seccomp")))
    names, missing = [], []
    hidden = (("storage", lambda: _own_storage(spec.hidden)),) if spec.hidden else ()
    layers = (
        ("namespace", _own_namespaces),
        *hidden,
        ("landlock", lambda: _confine_files(spec)),
        ("seccomp", lambda: egress.deny(_rules(spec))),
    )
    for name, raise_it in layers:
        if name == "landlock" and "namespace" in names:
            _drop_rights()
        reason = raise_it()
        if reason is None:
            names.append(name)
        else:
            missing.append(f"{name}: {reason}")
    tested = all(attempt.refused for attempt in egress.attempt())
    return Barrier(names=tuple(names), missing=tuple(missing), tested=tested)


def _rules(spec: WorkerSpec) -> tuple[Rule, ...]:
    """All system calls that this worker is refused."""
    own = tuple(Rule(call, argument=0, allowed=(os.getpid(),)) for call in _SIGNALS)
    attributes = _ATTRIBUTES if spec.writable else (*_ATTRIBUTES, *_OPEN_ATTRIBUTES)
    return (*egress.NOTHING, *_RULES, *_SHARED, *attributes, *own)


def _own_namespaces() -> str | None:
    """Move to new namespaces, and keep the user's and group's number. The rights that come with them are for `_own_storage`."""
    if sys.platform != "linux":
        return f"not on {sys.platform}"
    user, group = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_SPACES) != 0:
        return os.strerror(ctypes.get_errno())
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError:
        pass  # the process then has the number of nobody, which changes no right to a file
    return None


def _own_storage(folders: Iterable[str]) -> str | None:
    """Mount memory over each folder, for this process alone. The kernel takes it away with the process."""
    if sys.platform != "linux":
        return f"not on {sys.platform}"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNTS) != 0 or libc.mount(None, b"/", None, ctypes.c_ulong(_PRIVATE_ALL), None) != 0:
        return os.strerror(ctypes.get_errno())
    for folder in folders:
        if libc.mount(b"assay", os.fsencode(folder), b"tmpfs", ctypes.c_ulong(_PLAIN), b"mode=0700") != 0:
            return os.strerror(ctypes.get_errno())
    return None


def _drop_rights() -> None:
    """Give up what a new user namespace gave: mounting and the like."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)())


def _confine_files(spec: WorkerSpec) -> str | None:
    """Landlock: from here on only the named files and folders open."""
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    if version < 1:
        return os.strerror(ctypes.get_errno())
    handled = _FIRST | (_LINKS if version >= 2 else 0)
    handled |= (_TRUNCATE if version >= 3 else 0) | (_IOCTL if version >= 5 else 0)
    ruleset = _Ruleset(handled, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    handle = libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    if handle < 0:
        return os.strerror(ctypes.get_errno())
    try:
        for path in (*_python(), *_SYSTEM, *spec.readable, *spec.imports):
            _allow(libc, handle, path, _READ_FILE | _READ_DIR)
        for path in graphics.DRIVERS if spec.devices else ():
            _allow(libc, handle, path, _READ_FILE | _READ_DIR)
        for path in (*_WRITABLE, *spec.writable, *spec.devices):
            _allow(libc, handle, path, handled & ~(_EXECUTE | _MAKE_DEVICES))
        if egress.control(egress.NO_NEW_PRIVILEGES, 1) != 0 or libc.syscall(_RESTRICT_SELF, handle, 0) != 0:
            return os.strerror(ctypes.get_errno())
    finally:
        os.close(handle)
    return None


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, access: int) -> None:
    """Grant rights below `path`; what doesn't exist needs none."""
    if sys.platform != "linux":
        return
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            access &= _READ_FILE | _WRITE_FILE | _TRUNCATE | _IOCTL
        beneath = _Beneath(access, parent)
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(beneath), 0)
    finally:
        os.close(parent)


def _python() -> Iterator[str]:
    """Python's own installation and this program: of a checkout only `core` and `resources`, not what lies beside them."""
    bundle: str | None = getattr(sys, "_MEIPASS", None)
    yield from (sys.prefix, sys.base_prefix, sys.exec_prefix, str(PROGRAM / "core"), str(PROGRAM / "resources"))
    yield from _folders(sys.path)
    if bundle is not None:
        yield bundle
        yield sys.executable  # the program's modules lie in it


def _folders(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        if path and Path(path) != PROGRAM:
            yield path
