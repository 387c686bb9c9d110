"""`assay serve` as a process of its own: behind the barrier, on the loopback address alone, with other commands beside it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.conftest import PASSPHRASES, weak_kdf
from tests.processes import links, until

SECONDS = 300


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """A vault of ines, and an environment in which commands work in it."""
    folder = tmp_path / "Study.assay"
    Vault.create(folder, "ines", "Inês Duarte", PASSPHRASES["ines"], SCHEMA, kdf=weak_kdf).close()
    (tmp_path / "passphrase").write_text(PASSPHRASES["ines"])
    runtime = tmp_path / "r"
    runtime.mkdir(mode=0o700)
    return os.environ | {
        "ASSAY_VAULT": str(folder),
        "ASSAY_USER": "ines",
        "ASSAY_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
        "XDG_RUNTIME_DIR": str(runtime),
    }


CODE = "import sys; from core.cli.main import main; main(sys.argv[1:])"


def command(surroundings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CODE, *arguments], env=surroundings, capture_output=True, text=True, timeout=SECONDS
    )


def started(surroundings: dict[str, str]) -> tuple[subprocess.Popen[str], dict[str, object]]:
    """`assay serve`, and what it said when it served."""
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, "--json", "serve", "--port", "0"],
        env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    while not said.endswith("}\n"):
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        said += line
    return process, json.loads(said)


def ended(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.fixture
def serving(surroundings: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], dict[str, object]]]:
    process, told = started(surroundings)
    yield process, told
    ended(process)


def test_it_serves_behind_the_barrier_and_other_commands_work_beside_it(
    surroundings: dict[str, str], serving: tuple[subprocess.Popen[str], dict[str, object]]
) -> None:
    process, told = serving
    address, headers = str(told["address"]), {"Authorization": f"Bearer {told['token']}"}
    assert address.startswith("http://127.0.0.1:")
    body = {"model": "fake", "messages": [{"role": "user", "content": "Hello"}]}
    assert httpx.post(f"{address}/chat/completions", json=body, headers=headers, timeout=SECONDS).status_code == 200
    if sys.platform == "linux":
        assert "Seccomp:\t2" in Path(f"/proc/{process.pid}/status").read_text()
        assert listening(process.pid) == {"0100007F"}, "127.0.0.1, and nothing else"
    assert until(lambda: bool(list(Path(surroundings["XDG_RUNTIME_DIR"]).glob("*/*.open")))), "it lets others in"
    made = command(surroundings, "--json", "token", "make", "ci")
    assert made.returncode == 0, made.stderr
    secret = json.loads(made.stdout)["token"]
    assert (
        httpx.get(f"{address}/models", headers={"Authorization": f"Bearer {secret}"}, timeout=SECONDS).status_code
        == 200
    )
    assert command(surroundings, "token", "revoke", "ci").returncode == 0
    assert (
        httpx.get(f"{address}/models", headers={"Authorization": f"Bearer {secret}"}, timeout=SECONDS).status_code
        == 401
    )
    listed = command(surroundings, "token", "list")
    assert "ci" in listed.stdout
    assert secret not in listed.stdout
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert "POST /v1/chat/completions  200" in errors
    assert "Hello" not in errors
    assert secret not in errors


@pytest.mark.skipif(sys.platform == "win32", reason="a second process is refused there")
def test_a_second_one_is_served_by_the_first_on_its_own_port_until_it_is_stopped(
    surroundings: dict[str, str], serving: tuple[subprocess.Popen[str], dict[str, object]]
) -> None:
    first, told = serving
    headers = {"Authorization": f"Bearer {told['token']}"}
    second, also = started(surroundings)
    try:
        assert also["port"] != told["port"]
        for address in (told["address"], also["address"]):
            assert httpx.get(f"{address}/models", headers=headers, timeout=SECONDS).status_code == 200
        if sys.platform == "linux":
            assert listening(first.pid) == {"0100007F"}
            assert listening(second.pid) == set()
        second.send_signal(signal.SIGINT)
        _, errors = second.communicate(timeout=SECONDS)
        assert second.returncode == 0, errors
        assert "GET /v1/models  200" in errors
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{also['address']}/models", headers=headers, timeout=SECONDS)
        assert httpx.get(f"{told['address']}/models", headers=headers, timeout=SECONDS).status_code == 200
    finally:
        ended(second)


@pytest.mark.skipif(sys.platform == "win32", reason="a second process is refused there")
def test_one_interrupt_of_the_first_ends_also_what_the_second_serves(
    surroundings: dict[str, str], serving: tuple[subprocess.Popen[str], dict[str, object]]
) -> None:
    first, _ = serving
    second, _ = started(surroundings)
    try:
        first.send_signal(signal.SIGINT)
        _, errors = first.communicate(timeout=SECONDS)
        assert first.returncode == 0, errors
        assert "Waiting" not in errors
        _, errors = second.communicate(timeout=SECONDS)
        assert second.returncode == 16, errors
        assert "was stopped" in errors
    finally:
        ended(second)


def test_another_address_can_not_be_asked_for(surroundings: dict[str, str]) -> None:
    refused = command(surroundings, "serve", "--host", "0.0.0.0")  # noqa: S104
    assert refused.returncode == 2
    assert "No such option" in refused.stderr


def listening(pid: int) -> set[str]:
    """The addresses on which a process's sockets wait, as the kernel writes them."""
    inodes = links(pid)
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes}
