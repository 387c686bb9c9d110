"""The page of the local API over a real vault and a real server on the loopback address."""

import contextlib
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot

from app.bridge import serving
from app.bridge.operations import Operations
from app.pages.local_api import STOPPED, LocalApiPage, Secret, TokenForm, limits
from app.pages.removal import Removal
from core import settings
from core.errors import Unavailable
from core.server.listening import ADDRESS, bind, listen
from core.server.local_api import LocalApi
from core.vault import api_tokens
from core.vault.api_tokens import ApiToken, MakeToken
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.app.shells import TestShell


@pytest.fixture
def bench(vault_factory: Callable[..., Vault]) -> Iterator[Workbench]:
    with Workbench(vault_factory(SCHEMA)) as made:
        yield made


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalApi]:
    """An API that is off."""
    made = LocalApi(listen)
    monkeypatch.setattr(serving, "_api", made)
    yield made
    made.stop()


@pytest.fixture
def port() -> int:
    """One that is free, and that the system gives to nobody who asks for any."""
    for number in random.sample(range(20_000, 32_000), 100):
        with contextlib.suppress(Unavailable), bind(number) as made:
            return int(made.getsockname()[1])
    pytest.fail("no port is free")


@pytest.fixture
def shell(bench: Workbench, api: LocalApi, qtbot: QtBot) -> Iterator[TestShell]:
    operations = Operations()
    operations.attach(bench)
    made = TestShell(operations)
    yield made
    operations.detach()
    operations.close()
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def page(shell: TestShell, port: int, qtbot: QtBot) -> LocalApiPage:
    made = shell.hold(LocalApiPage(shell))  # type: ignore[arg-type]
    assert isinstance(made, LocalApiPage)
    qtbot.waitUntil(lambda: shell.operations.running() == 0)
    made.port.edit.setText(f"{port}")
    return made


def started(page: LocalApiPage, qtbot: QtBot) -> None:
    page.start_button.click()
    qtbot.waitUntil(lambda: page.stop_button.isVisible() and page.stop_button.isEnabled())


def stopped(page: LocalApiPage, qtbot: QtBot) -> None:
    page.stop_button.click()
    qtbot.waitUntil(lambda: page.start_button.isVisible() and page.start_button.isEnabled())


def test_it_starts_on_the_port_that_is_written_and_stops(page: LocalApiPage, port: int, qtbot: QtBot) -> None:
    started(page, qtbot)
    assert page.state.text() == f"It runs on port {port}."
    assert page.address.text() == f"http://{ADDRESS}:{port}/v1"
    assert httpx.get(page.address.text() + "/models", timeout=120).status_code == 401
    assert settings.load().api_port == port
    stopped(page, qtbot)
    assert page.state.text() == STOPPED
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{ADDRESS}:{port}/v1/models", timeout=120)


def test_it_goes_on_while_another_page_is_shown(page: LocalApiPage, shell: TestShell, qtbot: QtBot) -> None:
    started(page, qtbot)
    httpx.get(page.address.text() + "/models", timeout=120)
    other = shell.hold(LocalApiPage(shell))  # type: ignore[arg-type]
    assert isinstance(other, LocalApiPage)
    qtbot.waitUntil(other.stop_button.isVisible)
    qtbot.waitUntil(lambda: len(other.table.rows.all()) == 1)


def test_it_starts_again_on_the_same_port(page: LocalApiPage, qtbot: QtBot) -> None:
    for _ in range(3):
        started(page, qtbot)
        assert httpx.get(page.address.text() + "/models", timeout=120).status_code == 401
        stopped(page, qtbot)


def test_the_log_shows_who_asked_what_kind_of_thing_and_never_content(
    page: LocalApiPage, bench: Workbench, qtbot: QtBot
) -> None:
    _, secret = api_tokens.make(bench.vault, MakeToken(name="notebook"))
    started(page, qtbot)
    address = page.address.text()
    httpx.get(f"{address}/models", headers={"Authorization": f"Bearer {secret}"}, timeout=120)
    httpx.get(f"{address}/of-patient-novak", timeout=120)
    qtbot.waitUntil(lambda: len(page.table.rows.all()) == 2)
    shown = [tuple(column.show(one).text for column in page.table.rows.columns)[1:4] for one in page.table.rows.all()]
    assert shown == [("GET", "other", "401 refused"), ("GET", "/v1/models", "200")]
    assert [one.token for one in page.table.rows.all()] == ["", "notebook"]
    assert not page.nothing.isVisible()


def test_a_port_that_another_program_has_is_named(page: LocalApiPage, qtbot: QtBot) -> None:
    with listen(0) as other:
        page.port.edit.setText(f"{other.getsockname()[1]}")
        page.start_button.click()
        qtbot.waitUntil(lambda: "another program has it" in page.banner.text)
    assert page.api.address == ""
    assert page.start_button.isEnabled()
    assert settings.load().api_port == 11535


@pytest.mark.parametrize("wrong", ["0", "65536", ""])
def test_a_port_that_is_none_is_refused_below_the_field(page: LocalApiPage, wrong: str) -> None:
    page.port.edit.setText(wrong)
    page.start_button.click()
    assert page.port.error == "Write a number from 1 to 65535."
    assert page.operations.running() == 0


def test_a_token_is_shown_once_and_revoked(
    page: LocalApiPage, shell: TestShell, bench: Workbench, qtbot: QtBot
) -> None:
    page.make.click()
    form = shell.overlay.panel
    assert isinstance(form, TokenForm)
    form.act.click()
    assert form.name.error == "The name is missing."
    form.name.edit.setText("Note Book")
    form.act.click()
    qtbot.waitUntil(lambda: "lower-case" in form.problem)
    form.name.edit.setText("notebook")
    form.minute.edit.setText("many")
    form.act.click()
    assert form.minute.error == "Write a number, or 0 for no limit."
    form.minute.edit.setText("30")
    form.act.click()
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, Secret))
    secret = shell.overlay.panel.shown.text()
    with bench.vault.read() as reader:
        assert api_tokens.hashed(secret) in api_tokens.in_force(reader, "ines")
    shell.overlay.panel.close_button.click()
    qtbot.waitUntil(lambda: "notebook" in page.revokes)
    page.revokes["notebook"].click()
    assert isinstance(shell.overlay.panel, Removal)
    shell.overlay.panel.remove.click()
    qtbot.waitUntil(lambda: not page.revokes)
    with bench.vault.read() as reader:
        assert api_tokens.in_force(reader, "ines") == {}


def test_a_name_that_is_taken_is_said_in_the_form(
    page: LocalApiPage, shell: TestShell, bench: Workbench, qtbot: QtBot
) -> None:
    api_tokens.make(bench.vault, MakeToken(name="notebook"))
    page.make.click()
    form = shell.overlay.panel
    form.name.edit.setText("notebook")
    form.act.click()
    qtbot.waitUntil(lambda: "A name is given once" in form.problem)


def test_closing_the_vault_stops_it(page: LocalApiPage, bench: Workbench, qtbot: QtBot) -> None:
    started(page, qtbot)
    address = page.address.text()
    page.operations.detach()
    bench.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/models", timeout=120)


def test_what_is_said_of_a_token() -> None:
    one = ApiToken(name="a", user="ines", made="2026-11-03T10:00:00+01:00", requests_per_minute=0, tokens_per_day=9000)
    assert limits(one) == "ines, 3 Nov 2026, no limit a minute, 9,000 tokens a day"


BEHIND_BARRIER = """
import sys
from app.bridge import serving
from core import egress
egress.harden()
serving.begin()
egress.raise_barrier("unix")
for _ in range(2):
    taken = serving.api()._listening(int(sys.argv[1]))
    taken.setblocking(True)
    print("ready", flush=True)
    connection, peer = taken.accept()
    connection.sendall(b"here")
    connection.close()
    taken.close()
"""


def test_the_window_gets_its_sockets_behind_the_barrier_as_often_as_it_starts(port: int) -> None:
    command = [sys.executable, "-c", BEHIND_BARRIER, f"{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(2):
            assert child.stdout.readline() == "ready\n"
            with socket.create_connection((ADDRESS, port), timeout=120) as connection:
                assert connection.recv(10) == b"here"
    assert child.returncode == 0
