"""The page of the local API over a real vault and a real server on the loopback address."""

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
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[serving.Sockets]:
    """Three sockets on a free port, as the window makes them before its barrier."""
    made = serving.Sockets()
    made.reserve(0, 3)
    monkeypatch.setattr(serving, "SOCKETS", made)
    yield made
    made.close()


@pytest.fixture
def shell(bench: Workbench, sockets: serving.Sockets, qtbot: QtBot) -> Iterator[TestShell]:
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
def page(shell: TestShell, qtbot: QtBot) -> LocalApiPage:
    made = shell.hold(LocalApiPage(shell))  # type: ignore[arg-type]
    assert isinstance(made, LocalApiPage)
    qtbot.waitUntil(lambda: shell.operations.running() == 0)
    return made


def started(page: LocalApiPage, qtbot: QtBot) -> None:
    page.start_button.click()
    qtbot.waitUntil(lambda: page.server is not None)


def stopped(page: LocalApiPage, qtbot: QtBot) -> None:
    page.stop_button.click()
    qtbot.waitUntil(lambda: page.server is None)


def test_it_starts_on_a_socket_that_was_made_before_and_stops(
    page: LocalApiPage, sockets: serving.Sockets, qtbot: QtBot
) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{ADDRESS}:{sockets.port}/health", timeout=1)
    started(page, qtbot)
    assert page.state.text() == f"It runs on port {sockets.port}."
    assert page.address.text() == f"http://{ADDRESS}:{sockets.port}/v1"
    assert httpx.get(page.address.text() + "/models", timeout=5).status_code == 401
    stopped(page, qtbot)
    assert page.state.text() == STOPPED
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{ADDRESS}:{sockets.port}/v1/models", timeout=1)


def test_it_starts_again_on_the_same_port(page: LocalApiPage, sockets: serving.Sockets, qtbot: QtBot) -> None:
    for _ in range(3):
        started(page, qtbot)
        assert httpx.get(page.address.text() + "/models", timeout=5).status_code == 401
        stopped(page, qtbot)


def test_the_log_shows_who_asked_what_kind_of_thing_and_never_content(
    page: LocalApiPage, bench: Workbench, qtbot: QtBot
) -> None:
    _, secret = api_tokens.make(bench.vault, MakeToken(name="notebook"))
    started(page, qtbot)
    address = page.address.text()
    httpx.get(f"{address}/models", headers={"Authorization": f"Bearer {secret}"}, timeout=5)
    httpx.get(f"{address}/of-patient-novak", timeout=5)
    qtbot.waitUntil(lambda: len(page.table.rows.all()) == 2)
    shown = [tuple(column.show(one).text for column in page.table.rows.columns)[1:4] for one in page.table.rows.all()]
    assert shown == [("GET", "other", "401 refused"), ("GET", "/v1/models", "200")]
    assert [one.token for one in page.table.rows.all()] == ["", "notebook"]
    assert not page.nothing.isVisible()


def test_a_port_that_another_program_has_is_named(page: LocalApiPage, sockets: serving.Sockets, qtbot: QtBot) -> None:
    with listen(0) as other:
        port = other.getsockname()[1]
        page.port.edit.setText(f"{port}")
        page.start_button.click()
        qtbot.waitUntil(lambda: "another program has it" in page.banner.text)
    assert page.server is None
    assert page.start_button.isEnabled()


def test_a_port_that_was_taken_meanwhile_is_named(sockets: serving.Sockets) -> None:
    other = bind(sockets.port)
    other.listen()
    with other, pytest.raises(Unavailable, match="another program has it"):
        sockets.take(sockets.port)


def test_another_port_behind_the_barrier_is_kept_for_the_next_start(
    page: LocalApiPage, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    def barred(port: int) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(serving, "listen", barred)
    page.port.edit.setText("23456")
    page.start_button.click()
    qtbot.waitUntil(lambda: "used when the window is started next" in page.banner.text)
    assert settings.load().api_port == 23456


@pytest.mark.parametrize("wrong", ["0", "65536", ""])
def test_a_port_that_is_none_is_refused_below_the_field(page: LocalApiPage, wrong: str) -> None:
    page.port.edit.setText(wrong)
    page.start_button.click()
    assert page.port.error == "Write a number from 1 to 65535."
    assert page.server is None


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
        httpx.get(f"{address}/models", timeout=1)


def test_what_is_said_of_a_token() -> None:
    one = ApiToken(name="a", user="ines", made="2026-11-03T10:00:00+01:00", requests_per_minute=0, tokens_per_day=9000)
    assert limits(one) == "ines, 3 Nov 2026, no limit a minute, 9,000 tokens a day"


BEHIND_BARRIER = """
import socket, sys
from app.bridge import serving
from core import egress
serving.SOCKETS.reserve(0, 2)
barrier = egress.raise_barrier("unix")
taken = serving.SOCKETS.take(serving.SOCKETS.port)
taken.setblocking(True)
try:
    serving.SOCKETS.take(1 + serving.SOCKETS.port % 60000)
    other = "made"
except Exception as error:
    other = type(error).__name__
print(serving.SOCKETS.port, bool(barrier.names), other, flush=True)
connection, peer = taken.accept()
connection.sendall(b"here")
connection.close()
waiting = serving.SOCKETS._kept[0]
try:
    waiting.connect(("192.0.2.1", 80))
    print("reached", flush=True)
except OSError as error:
    print("refused", flush=True)
"""


def test_sockets_made_before_the_barrier_listen_behind_it_and_reach_nothing_else() -> None:
    with subprocess.Popen([sys.executable, "-c", BEHIND_BARRIER], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port, barred, other = child.stdout.readline().split()
        with socket.create_connection((ADDRESS, int(port)), timeout=5) as connection:
            assert connection.recv(10) == b"here"
        assert child.stdout.readline().strip() == "refused"
    if barred == "True":
        assert other == "Unavailable"
