"""The network barrier: no process of this program opens a connection to the outside.

Two levels, both kept by the kernel and not by good manners, so that native code and ctypes meet them too:

    unix    the window and the command line: no sockets but AF_UNIX (the display, a second `assay` beside this one). A server makes its
            listening socket before the barrier is raised; accepting goes on working.
    none    workers: no sockets at all, and no way around that (no datagram socket pairs, no connect, no io_uring).

On Linux the barrier is a seccomp filter for all threads, inherited by children, that can't be taken back; it also refuses system calls made
through another architecture's table. Other systems have none that a process without rights can raise: there `Barrier.names` is empty
and `missing` says so. `barrier` reports what trying shows, not what was asked for.
"""

import ctypes
import errno
import os
import platform
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from core.records import Record

if sys.platform != "win32":
    import resource

Level = Literal["none", "unix"]


class Barrier(Record, frozen=True, kw_only=True):
    """What keeps this process from the network (and, in a worker, from the rest of the system)."""

    names: tuple[str, ...] = ()
    """Barriers in force: "seccomp", and in workers "landlock", "namespace"."""
    missing: tuple[str, ...] = ()
    """What the system refused or lacks, "name: reason"."""
    tested: bool = False
    """Every attempt to make a socket that could leave the machine was refused."""


class Attempt(Record, frozen=True, kw_only=True):
    """One way of reaching out that was tried. Nothing is sent, even where it isn't refused."""

    kind: str
    refused: bool
    detail: str


class Rule(msgspec.Struct, frozen=True):
    """Refuse a system call, by name. With `argument`, only where that argument masked with `mask` is none of `allowed`."""

    call: str
    argument: int | None = None
    mask: int = 0xFFFFFFFF
    allowed: tuple[int, ...] = ()
    error: int = errno.EPERM


# Numbers from the kernel's tables: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h. Calls from 424 on
# have the same number everywhere.
_COMMON: Final = {
    "pidfd_send_signal": 424,
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "pidfd_open": 434,
    "clone3": 435,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "fchmodat2": 452,
    "setxattrat": 463,
    "removexattrat": 466,
}
CALLS: Final[dict[str, dict[str, int]]] = {
    "x86_64": _COMMON
    | {
        "shmget": 29,
        "shmat": 30,
        "shmctl": 31,
        "socket": 41,
        "connect": 42,
        "accept": 43,
        "sendto": 44,
        "sendmsg": 46,
        "bind": 49,
        "listen": 50,
        "socketpair": 53,
        "clone": 56,
        "fork": 57,
        "vfork": 58,
        "execve": 59,
        "kill": 62,
        "semget": 64,
        "semop": 65,
        "semctl": 66,
        "msgget": 68,
        "msgsnd": 69,
        "msgrcv": 70,
        "msgctl": 71,
        "truncate": 76,
        "chmod": 90,
        "fchmod": 91,
        "chown": 92,
        "fchown": 93,
        "lchown": 94,
        "ptrace": 101,
        "syslog": 103,
        "rt_sigqueueinfo": 129,
        "utime": 132,
        "pivot_root": 155,
        "chroot": 161,
        "mount": 165,
        "umount2": 166,
        "swapon": 167,
        "reboot": 169,
        "init_module": 175,
        "delete_module": 176,
        "setxattr": 188,
        "lsetxattr": 189,
        "fsetxattr": 190,
        "removexattr": 197,
        "lremovexattr": 198,
        "fremovexattr": 199,
        "tkill": 200,
        "semtimedop": 220,
        "tgkill": 234,
        "utimes": 235,
        "mq_open": 240,
        "mq_unlink": 241,
        "kexec_load": 246,
        "add_key": 248,
        "request_key": 249,
        "keyctl": 250,
        "inotify_init": 253,
        "inotify_add_watch": 254,
        "fchownat": 260,
        "futimesat": 261,
        "fchmodat": 268,
        "unshare": 272,
        "utimensat": 280,
        "accept4": 288,
        "inotify_init1": 294,
        "rt_tgsigqueueinfo": 297,
        "perf_event_open": 298,
        "fanotify_init": 300,
        "prlimit64": 302,
        "open_by_handle_at": 304,
        "sendmmsg": 307,
        "setns": 308,
        "process_vm_readv": 310,
        "process_vm_writev": 311,
        "kcmp": 312,
        "finit_module": 313,
        "kexec_file_load": 320,
        "bpf": 321,
        "execveat": 322,
        "userfaultfd": 323,
    },
    "aarch64": _COMMON
    | {
        "setxattr": 5,
        "lsetxattr": 6,
        "fsetxattr": 7,
        "removexattr": 14,
        "lremovexattr": 15,
        "fremovexattr": 16,
        "inotify_init1": 26,
        "inotify_add_watch": 27,
        "umount2": 39,
        "mount": 40,
        "pivot_root": 41,
        "truncate": 45,
        "chroot": 51,
        "fchmod": 52,
        "fchmodat": 53,
        "fchownat": 54,
        "fchown": 55,
        "utimensat": 88,
        "unshare": 97,
        "kexec_load": 104,
        "init_module": 105,
        "delete_module": 106,
        "syslog": 116,
        "ptrace": 117,
        "kill": 129,
        "tkill": 130,
        "tgkill": 131,
        "rt_sigqueueinfo": 138,
        "reboot": 142,
        "mq_open": 180,
        "mq_unlink": 181,
        "msgget": 186,
        "msgctl": 187,
        "msgrcv": 188,
        "msgsnd": 189,
        "semget": 190,
        "semctl": 191,
        "semtimedop": 192,
        "semop": 193,
        "shmget": 194,
        "shmctl": 195,
        "shmat": 196,
        "socket": 198,
        "socketpair": 199,
        "bind": 200,
        "listen": 201,
        "accept": 202,
        "connect": 203,
        "sendto": 206,
        "sendmsg": 211,
        "add_key": 217,
        "request_key": 218,
        "keyctl": 219,
        "clone": 220,
        "execve": 221,
        "swapon": 224,
        "rt_tgsigqueueinfo": 240,
        "perf_event_open": 241,
        "accept4": 242,
        "prlimit64": 261,
        "fanotify_init": 262,
        "open_by_handle_at": 265,
        "setns": 268,
        "sendmmsg": 269,
        "process_vm_readv": 270,
        "process_vm_writev": 271,
        "kcmp": 272,
        "finit_module": 273,
        "bpf": 280,
        "execveat": 281,
        "userfaultfd": 282,
        "kexec_file_load": 294,
    },
}
_ARCHITECTURE: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_*
_SECCOMP: Final = {"x86_64": 317, "aarch64": 277}

_IO_URING: Final = (Rule("io_uring_setup"), Rule("io_uring_enter"), Rule("io_uring_register"))
ONLY_UNIX: Final = (Rule("socket", argument=0, allowed=(1,)), Rule("socketpair", argument=0, allowed=(1,)), *_IO_URING)
NOTHING: Final = (
    Rule("socket"),
    Rule(
        "socketpair", argument=1, mask=0xF, allowed=(1, 5)
    ),  # stream and sequenced: a datagram one could address others
    Rule("connect"),
    Rule("bind"),
    Rule("listen"),
    Rule("accept"),
    Rule("accept4"),
    *_IO_URING,
)

_PR_SET_DUMPABLE: Final = 4
NO_NEW_PRIVILEGES: Final = 38
_SECCOMP_SET_MODE_FILTER: Final = 1
_SECCOMP_FILTER_FLAG_TSYNC: Final = 1
_RET_ALLOW: Final = 0x7FFF0000
_RET_ERRNO: Final = 0x00050000
_LOAD, _AND, _JUMP_EQUAL, _JUMP_NOT_LESS, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16  # struct seccomp_data
_X32_BIT: Final = 0x40000000


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def raise_barrier(level: Level) -> Barrier:
    """Bar this process, all its threads and its later children from the network, for good. Returns what is in force afterwards."""
    reason = deny(NOTHING if level == "none" else ONLY_UNIX)
    found = barrier()
    return found if reason is None else Barrier(names=found.names, missing=(f"seccomp: {reason}",), tested=found.tested)


def barrier() -> Barrier:
    """What keeps this process from the network, found out by trying."""
    refused = all(found.refused for found in attempt())
    if refused and _filtered():
        return Barrier(names=("seccomp",), tested=True)
    return Barrier(missing=("seccomp: not raised" if sys.platform == "linux" else f"seccomp: not on {sys.platform}",))


def harden() -> bool:
    """Keep other processes of the same user from reading this one's memory, and its memory from a core dump. False where the first is
    not possible."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return control(_PR_SET_DUMPABLE, 0) == 0


def attempt() -> tuple[Attempt, ...]:
    """Try to make sockets of many kinds, through Python and past it, and a ring that could make some. AF_UNIX is not among them."""
    found = []
    for name, family, type_ in _KINDS:
        found.append(_tried(f"python {name}", lambda f=family, t=type_: socket.socket(f, t).close()))  # type: ignore[misc]
    if sys.platform != "win32":
        for name, family, type_ in _KINDS:
            found.append(_tried(f"libc {name}", lambda f=family, t=type_: _libc_socket(f, t)))  # type: ignore[misc]
    if sys.platform == "linux" and platform.machine() in CALLS:
        calls = CALLS[platform.machine()]
        found.append(_tried("system call tcp/ipv4", lambda: _system_call(calls["socket"], 2, 1, 0)))
        found.append(_tried("system call io_uring", lambda: _system_call(calls["io_uring_setup"], 1, _RING.ctypes())))
    return tuple(found)


def deny(rules: Sequence[Rule]) -> str | None:
    """Install a filter with these rules for all threads of this process and its later children. Returns why not, or None."""
    machine = platform.machine()
    if sys.platform != "linux":
        return f"not on {sys.platform}"
    if machine not in CALLS or sys.maxsize < 2**32:
        return f"no table of system calls for {machine}"
    if control(NO_NEW_PRIVILEGES, 1) != 0:
        return "no_new_privs was refused"
    code = program(rules, machine)
    instructions = (_Instruction * len(code))(*(_Instruction(*one) for one in code))
    filter_ = _Program(len(code), instructions)
    failed = _libc().syscall(
        _SECCOMP[machine], _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC, ctypes.byref(filter_)
    )
    if failed < 0:
        return os.strerror(ctypes.get_errno())
    if failed > 0:
        return f"thread {failed} could not be included"
    return None


def program(rules: Sequence[Rule], machine: str) -> list[tuple[int, int, int, int]]:
    """The rules as BPF: (code, jump if true, jump if false, constant). Calls through a foreign table are refused whole."""
    refuse = (_RETURN, 0, 0, _RET_ERRNO | errno.EPERM)
    code = [(_LOAD, 0, 0, _ARCHITECTURE_AT), (_JUMP_EQUAL, 1, 0, _ARCHITECTURE[machine]), refuse]
    code.append((_LOAD, 0, 0, _NUMBER_AT))
    if machine == "x86_64":
        code += [(_JUMP_NOT_LESS, 0, 1, _X32_BIT), refuse]
    for rule in rules:
        if rule.call not in CALLS[machine]:
            continue  # fork and vfork have no number of their own on newer architectures
        block = []
        if rule.argument is not None:
            block = [(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * rule.argument), (_AND, 0, 0, rule.mask)]
            for value in rule.allowed:
                block += [(_JUMP_EQUAL, 0, 1, value), (_RETURN, 0, 0, _RET_ALLOW)]
        block.append((_RETURN, 0, 0, _RET_ERRNO | rule.error))
        code += [(_JUMP_EQUAL, 0, len(block), CALLS[machine][rule.call]), *block]
    return [*code, (_RETURN, 0, 0, _RET_ALLOW)]


def control(option: int, value: int) -> int:
    """prctl(2) with one argument; -1 where there is none."""
    if sys.platform != "linux":
        return -1
    return int(_libc().prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)))


_KINDS: Final = tuple(
    (name, family, type_)
    for name, family, type_ in (
        ("tcp/ipv4", 2, 1),
        ("udp/ipv4", 2, 2),
        ("raw/ipv4", 2, 3),
        ("tcp/ipv6", int(socket.AF_INET6), 1),
        ("udp/ipv6", int(socket.AF_INET6), 2),
        ("netlink", 16, 3),
        ("packet", 17, 3),
        ("bluetooth", 31, 3),
        ("vsock", 40, 1),
    )
    if sys.platform == "linux" or name.endswith(("ipv4", "ipv6"))
)


class _RING(ctypes.Structure):
    """struct io_uring_params, all zero."""

    _fields_ = (("words", ctypes.c_uint32 * 30),)

    @classmethod
    def ctypes(cls) -> object:
        return ctypes.byref(cls())


def _tried(kind: str, way: Callable[[], object]) -> Attempt:
    """A refusal for any reason but the barrier's (no such protocol here, no rights) is as good: nothing was opened."""
    try:
        way()
    except OSError as error:
        return Attempt(kind=kind, refused=True, detail=error.strerror or "refused")
    return Attempt(kind=kind, refused=False, detail="opened and closed again")


def _libc_socket(family: int, type_: int) -> None:
    handle = _libc().socket(family, type_, 0)
    if handle < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.close(handle)


def _system_call(number: int, *arguments: object) -> None:
    handle = _libc().syscall(number, *arguments)
    if handle < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.close(handle)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _filtered() -> bool:
    """Whether the kernel says that a seccomp filter is in force (the attempts alone could have failed for want of rights)."""
    if sys.platform != "linux":
        return False
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return True  # hidden by a worker's sandbox, which is itself reported by what was installed
    return "Seccomp:\t2" in status
