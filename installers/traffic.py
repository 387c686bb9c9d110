"""What processes did with sockets, read from what strace wrote: `python -m installers.traffic FOLDER`.

The folder holds one file for each thread, as `proof/traffic.sh` has strace write them. Rules: a process may talk over AF_UNIX and AF_NETLINK,
which don't leave the machine, and over loopback addresses; every other address that is connected to, sent to or listened on is a fault, whether
the system refused it or not. A socket that could leave and was never made to is counted, not a fault: each process tries once that making one is
refused.
"""

import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final

_CALL: Final = re.compile(r"^(?P<name>\w+)\((?P<rest>.*)\)\s+= (?P<result>\S+)(?P<why>.*)$")
_FAMILY: Final = re.compile(r"sa_family=(AF_\w+)")
_ADDRESS: Final = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
_WORKER: Final = re.compile(r'"(?:-m", "core\.workers\.child|--worker)", "[^"]*", "[^"]*", "([\w.]+)"')
_CHILD: Final = frozenset({"fork", "vfork", "clone", "clone3"})
_ADDRESSED: Final = frozenset({"connect", "sendto", "sendmsg", "sendmmsg", "bind"})
_INSIDE: Final = frozenset({"AF_UNIX", "AF_NETLINK", "AF_UNSPEC"})
MAIN: Final = "the program itself"


@dataclass
class Kind:
    """All processes that ran one module."""

    processes: int = 0
    sockets: Counter[str] = field(default_factory=Counter)
    """Sockets that were made, by family."""
    refused: Counter[str] = field(default_factory=Counter)
    """Sockets that the system refused to make."""
    loopback: int = 0
    """Calls with a loopback address."""
    outside: list[str] = field(default_factory=list)
    """Calls with any other."""


def read(folder: Path) -> dict[str, Kind]:
    """The kinds of process in a folder of traces, by module."""
    lines = {int(path.suffix[1:]): path.read_text(errors="replace").splitlines() for path in sorted(folder.glob("t.*"))}
    parents = {
        int(match["result"]): thread
        for thread, said in lines.items()
        for line in said
        if (match := _CALL.match(line)) and match["name"] in _CHILD and match["result"].isdigit()
    }
    modules = {thread: found for thread, said in lines.items() if (found := _module(said))}
    kinds: dict[str, Kind] = {}
    for thread, said in lines.items():
        name = _kind(thread, modules, parents)
        kind = kinds.setdefault(name, Kind())
        kind.processes += any(line.startswith("execve(") for line in said)
        for line in said:
            _count(kind, line)
    return kinds


def faults(kinds: dict[str, Kind]) -> list[str]:
    """A line for each call with an address outside of this machine."""
    return [f"{name}: {call}" for name, kind in sorted(kinds.items()) for call in kind.outside]


def _module(said: list[str]) -> str:
    """What the last program that a thread began is."""
    begun = [line for line in said if line.startswith("execve(") and line.endswith("= 0")]
    if not begun:
        return ""
    match = _WORKER.search(begun[-1])
    return match[1] if match else MAIN


def _kind(thread: int, modules: dict[int, str], parents: dict[int, int]) -> str:
    seen = set()
    while thread not in modules and thread in parents and thread not in seen:
        seen.add(thread)
        thread = parents[thread]
    return modules.get(thread, MAIN)


def _count(kind: Kind, line: str) -> None:
    match = _CALL.match(line)
    if match is None:
        return
    if match["name"] == "socket":
        family = match["rest"].split(",")[0]
        (kind.sockets if match["result"].isdigit() else kind.refused)[family] += 1
    elif match["name"] in _ADDRESSED:
        for family in _FAMILY.findall(match["rest"]):
            if family in _INSIDE:
                continue
            found = _ADDRESS.search(match["rest"])
            if found and ip_address(found[1] or found[2]).is_loopback:
                kind.loopback += 1
            else:
                kind.outside.append(line)


def main() -> int:
    """Print a line for each kind of process; 1 when any reached for another machine, 2 for a folder without traces."""
    kinds = read(Path(sys.argv[1]))
    if not kinds:
        sys.stderr.write(f"{sys.argv[1]}: there are no traces.\n")
        return 2
    for name, kind in sorted(kinds.items()):
        made = ", ".join(f"{count} {family}" for family, count in sorted(kind.sockets.items())) or "none"
        refused = ", ".join(f"{count} {family}" for family, count in sorted(kind.refused.items())) or "none"
        sys.stdout.write(
            f"{name}: {kind.processes} processes; sockets made: {made}; refused: {refused}; "
            f"calls to loopback: {kind.loopback}; to elsewhere: {len(kind.outside)}\n"
        )
    for line in faults(kinds):
        sys.stdout.write(f"FAULT {line}\n")
    return 1 if faults(kinds) else 0


if __name__ == "__main__":
    raise SystemExit(main())
