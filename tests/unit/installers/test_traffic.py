"""Traces of what processes did with sockets: other machines are found, whoever asked and whether or not it was refused."""

from pathlib import Path

from installers import traffic

MAIN = 'execve("/usr/bin/assay", ["/usr/bin/assay", "demo"], 0x7ffd /* 9 vars */) = 0'
WORKER = 'execve("/usr/lib/assay/assay", ["/usr/lib/assay/assay", "--worker", "6", "9", "core.documents.worker.parsing"], 0x55 /* 8 vars */) = 0'


def trace(folder: Path, **said: tuple[str, ...]) -> dict[str, traffic.Kind]:
    for thread, lines in said.items():
        (folder / f"t.{thread.removeprefix('n')}").write_text("\n".join(lines) + "\n")
    return traffic.read(folder)


def test_local_sockets_loopback_and_refused_sockets_are_no_fault(tmp_path: Path) -> None:
    kinds = trace(
        tmp_path,
        n10=(
            MAIN,
            "clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x7f, stack_size=0x9000}, 88) = 11",
            "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3",
            'connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = -1 ENOENT (No such file or directory)',
            'bind(4, {sa_family=AF_INET, sin_port=htons(11535), sin_addr=inet_addr("127.0.0.1")}, 16) = 0',
            'connect(5, {sa_family=AF_INET6, sin6_port=htons(1), inet_pton(AF_INET6, "::1", &sin6_addr)}, 28) = 0',
        ),
        n11=(WORKER, "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = -1 EPERM (Operation not permitted)"),
    )
    assert traffic.faults(kinds) == []
    assert (kinds[traffic.MAIN].loopback, kinds[traffic.MAIN].sockets["AF_UNIX"]) == (2, 1)
    assert kinds["core.documents.worker.parsing"].refused["AF_INET"] == 1


def test_every_way_to_another_machine_is_found_and_named_by_its_kind_of_process(tmp_path: Path) -> None:
    kinds = trace(
        tmp_path,
        n10=(MAIN, "clone(child_stack=NULL, flags=SIGCHLD) = 11"),
        n11=(WORKER, "clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 12"),
        n12=(
            'connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16) = -1 ENETUNREACH (Network is unreachable)',
            'sendto(3, "x", 1, 0, {sa_family=AF_INET6, sin6_port=htons(53), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr)}, 28) = 1',
            'bind(4, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 16) = 0',
            "connect(5, {sa_family=AF_VSOCK, svm_cid=VMADDR_CID_HOST, svm_port=1}, 16) = 0",
        ),
    )
    found = traffic.faults(kinds)
    assert len(found) == 4
    assert all(line.startswith("core.documents.worker.parsing: ") for line in found)


def test_a_folder_without_traces_is_no_proof(tmp_path: Path) -> None:
    assert traffic.read(tmp_path) == {}
