"""What the status bar says of models in memory and of the local API, and where a press on it leads."""

from types import SimpleNamespace

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app import watching
from app.bridge.models import Memory
from app.main_window import MainWindow
from core.inference.records import Loaded

GB = 10**9


def held(name: str, memory: int = GB) -> Loaded:
    return Loaded(
        name=name,
        digest=name,
        pid=1,
        context=4096,
        start_seconds=0.1,
        backend="stand-in",
        resident=memory,
        memory=memory,
    )


def line(number: int) -> SimpleNamespace:
    """One request, as the log of the page has it."""
    return SimpleNamespace(
        request_id=f"{number}", time=0.0, method="GET", path="/v1/models", status=200, seconds=0.01, token="notebook"
    )


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A local API that says of itself what a test wants."""
    made = SimpleNamespace(address="", port=0, running=0, count=0)
    made.lines = lambda: tuple(line(number) for number in range(made.count))
    monkeypatch.setattr(watching.serving, "api", lambda: made)
    return made


def test_models_in_memory_are_named_with_their_share(window: MainWindow) -> None:
    window.watching.say_models(Memory((held("corvid"), held("rook-embed", GB // 2)), 6 * GB))
    assert window.status.model.text() == "corvid, rook-embed"
    assert window.status.model._share == 0.25
    assert window.status.model.accessibleDescription().splitlines() == [
        "1.5 GB of 6.0 GB of memory",
        "corvid: up to 1.0 GB, now 1.0 GB",
        "rook-embed: up to 500 MB, now 500 MB",
    ]
    seeing = msgspec.structs.replace(held("corvid"), projector="eyes", projector_digest="e")
    window.watching.say_models(Memory((held("corvid"), seeing), 6 * GB))
    assert window.status.model.text() == "corvid, corvid with eyes"
    window.watching.say_models(Memory(tuple(held(name) for name in "abc"), 0))
    assert window.status.model.text() == "a, b and 1 more"
    assert window.status.model._share is None
    window.watching.say_models(Memory())
    assert window.status.model.text() == "No model loaded"


def test_the_local_api_shows_while_it_runs_and_leads_to_its_page(
    window: MainWindow, api: SimpleNamespace, qtbot: QtBot
) -> None:
    window.watching.look_at_api()
    assert not window.status.api.isVisible()
    api.address, api.port = "http://127.0.0.1:11535/v1", 11535
    window.watching.look_at_api()
    assert window.status.api.isVisible()
    assert window.status.api.text() == "Local API · 11535"
    assert window.status.api.accessibleDescription() == "The local API runs on port 11535: no requests yet."
    api.running, api.count = 2, 41
    window.watching.look_at_api()
    assert window.status.api.text() == "Local API · 11535 · 2 running"
    assert window.status.api.toolTip() == "The local API runs on port 11535: 41 requests, 2 under way."
    qtbot.keyClick(window.status.api, Qt.Key.Key_Space)
    assert window.page is not None
    assert window.page.name == "api"


def test_a_locked_window_says_nothing_of_what_ran(window: MainWindow, api: SimpleNamespace, qtbot: QtBot) -> None:
    api.address, api.port = "http://127.0.0.1:11535/v1", 11535
    window.watching.look_at_api()
    window.watching.say_models(Memory((held("corvid"),), 6 * GB))
    with qtbot.waitSignal(window.locked):
        window.lock_now("")
    assert not window.status.api.isVisible()
    assert window.status.model.text() == "No model loaded"
    assert window.status.model.accessibleDescription() == ""
