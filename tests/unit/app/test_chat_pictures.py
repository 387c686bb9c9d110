"""Pictures and adapters in the chat, driven as a person would."""

from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bridge import chatting
from app.main_window import MainWindow
from app.pages.adapter_choice import AdapterForm
from app.pages.answers import TracePanel, made_with
from app.pages.chat import ChatPage
from app.pages.chat_pictures import LargePicture
from app.widgets.picture_tray import holds_pictures, picture_bytes
from core.documents.records import AddDocuments
from core.inference.pictures import MOST
from core.inference.records import AdapterUse
from core.jobs import Job
from tests.unit.app.standin import StandIn, digest, model
from tests.unit.app.test_chat import traced

PICTURE = b"picture of a tower"


@pytest.fixture
def chat(window: MainWindow, bench: StandIn, qtbot: QtBot) -> ChatPage:
    """The chat, with a model that sees, one that doesn't, and two adapters."""
    bench.documents.add(AddDocuments(collection="safety", paths=("SOP-PV-014.pdf",)), Job("Add"))
    bench.models.held += [model("seer", "chat"), model("blunt", "adapter"), model("polite", "adapter")]
    window.go("chat")
    page = window.page
    assert isinstance(page, ChatPage)
    qtbot.waitUntil(lambda: page.collection.current == "safety")
    return page


@pytest.fixture
def sees(chat: ChatPage, bench: StandIn, window: MainWindow, qtbot: QtBot) -> ChatPage:
    """The models' projector is there, and one of them is chosen."""
    bench.models.held.append(model("eyes", "projector"))
    chat.opened()
    qtbot.waitUntil(lambda: chat._choices.file("eyes") is not None)
    chat.model.choose("seer")
    return chat


def dropped(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, ...]:
    found = tuple(tmp_path / name for name in ("tower.png", "gate.JPG", "broken.png", "notes.txt"))
    for path in found:
        path.write_bytes(b"no such thing" if path.stem == "broken" else PICTURE + path.name.encode())
    return found


def test_a_dropped_picture_is_shown_in_small_and_asked_with(
    sees: ChatPage, bench: StandIn, files: tuple[Path, ...], qtbot: QtBot
) -> None:
    sees.composer.insertFromMimeData(dropped(files[0], files[1]))
    qtbot.waitUntil(lambda: len(sees.box.pictures.seen) == 2)
    assert sees.box.pictures.tray.isVisible()
    names = [thumb.accessibleName() for thumb in sees.box.pictures.tray.thumbs]
    assert sorted(names) == ["gate.JPG, 640 × 640 pixels", "tower.png, 640 × 640 pixels"]
    qtbot.keyClicks(sees.composer, "What is it?")
    qtbot.keyClick(sees.composer, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bench.assistants.shown != [] and sees._handle is None)
    assert sorted(bench.assistants.shown[-1]) == sorted(PICTURE + path.name.encode() for path in files[:2])
    assert len(sees.exchanges[-1].pictures.thumbs) == 2
    assert sees.box.pictures.seen == []
    assert not sees.box.pictures.tray.isVisible()
    sees.exchanges[-1].again.emit()
    qtbot.waitUntil(lambda: len(bench.assistants.shown) == 2)
    assert bench.assistants.shown[0] == bench.assistants.shown[1]


def test_a_picture_can_be_asked_about_where_there_is_no_collection(
    sees: ChatPage, bench: StandIn, files: tuple[Path, ...], qtbot: QtBot
) -> None:
    sees.box.collection.offer([], "")
    sees.composer.setPlainText("What is it?")
    sees.box.judge(False)
    sees.box.pictures.take(dropped(files[0]))
    qtbot.waitUntil(lambda: sees.box.send.isEnabled())
    assert sees.box.question("What is it?").collection == ""


def test_a_picture_is_taken_away_by_its_cross(sees: ChatPage, files: tuple[Path, ...], qtbot: QtBot) -> None:
    sees.box.pictures.take(dropped(files[0]))
    qtbot.waitUntil(lambda: len(sees.box.pictures.tray.crosses) == 1)
    cross = sees.box.pictures.tray.crosses[0]
    assert cross.accessibleName() == "Take away tower.png, 640 × 640 pixels"
    qtbot.keyClick(cross, Qt.Key.Key_Space)
    assert sees.box.pictures.seen == []
    assert QApplication.focusWidget() is sees.box.pictures.button


def test_by_tab_the_pictures_come_before_the_question(sees: ChatPage, files: tuple[Path, ...], qtbot: QtBot) -> None:
    for _ in range(2):
        sees.box.pictures.take(dropped(files[0]))
    qtbot.waitUntil(lambda: len(sees.box.pictures.tray.crosses) == 2)
    qtbot.waitUntil(lambda: all(cross.isVisible() for cross in sees.box.pictures.tray.crosses))
    at, found = sees.box.pictures.tray.thumbs[0], []
    for _ in range(6):
        found.append(at)
        at = at.nextInFocusChain()
        while not (at.isVisible() and at.focusPolicy() & Qt.FocusPolicy.TabFocus):
            at = at.nextInFocusChain()
    tray = sees.box.pictures.tray
    assert found == [tray.thumbs[0], tray.crosses[0], tray.thumbs[1], tray.crosses[1], sees.composer, sees.collection]


def test_a_model_that_sees_nothing_says_why_and_takes_none(
    chat: ChatPage, files: tuple[Path, ...], qtbot: QtBot
) -> None:
    for name, says in (("quotes", "Quotes sees no pictures"), ("starter-chat", "no projector (mmproj) that fits")):
        chat.model.choose(name)
        assert says in chat.box.pictures.button.toolTip()
        assert not chat.box.pictures.button.isEnabled()
        chat.box.pictures.take(dropped(files[0]))
        assert says in chat.box.pictures.note.text()
        assert chat.box.pictures.note.isVisible()
    assert chat.box.pictures.seen == []


def test_pictures_stay_when_another_model_is_chosen_and_nothing_is_asked_of_one_that_sees_none(
    sees: ChatPage, files: tuple[Path, ...], qtbot: QtBot
) -> None:
    sees.box.pictures.take(dropped(files[0]))
    qtbot.waitUntil(lambda: len(sees.box.pictures.seen) == 1)
    sees.composer.setPlainText("What is it?")
    assert sees.send.isEnabled()
    sees.model.choose("quotes")
    assert not sees.send.isEnabled()
    assert "Quotes sees no pictures" in sees.send.toolTip()
    sees.model.choose("seer")
    assert sees.send.isEnabled()
    assert not sees.box.pictures.note.isVisible()


def test_what_is_no_picture_is_told_by_its_name(sees: ChatPage, files: tuple[Path, ...], qtbot: QtBot) -> None:
    sees.box.pictures.take(dropped(files[2]))
    qtbot.waitUntil(lambda: bool(sees.box.pictures.note.text()))
    assert sees.box.pictures.note.text() == "broken.png: it can't be read. Give a PNG."
    sees.composer.setPlainText("What is it?")
    assert sees.send.isEnabled()


def test_more_than_are_taken_at_once_are_left_out(sees: ChatPage, tmp_path: Path, qtbot: QtBot) -> None:
    many = [tmp_path / f"{number}.png" for number in range(MOST + 2)]
    for path in many:
        path.write_bytes(PICTURE)
    sees.box.pictures.take(dropped(*many))
    qtbot.waitUntil(lambda: len(sees.box.pictures.seen) == MOST)
    assert "the others are left out" in sees.box.pictures.note.text()


def test_text_that_is_pasted_stays_text(sees: ChatPage, files: tuple[Path, ...]) -> None:
    mime = QMimeData()
    mime.setText("How soon?")
    mime.setImageData(QImage(4, 4, QImage.Format.Format_RGB888))
    sees.composer.insertFromMimeData(mime)
    assert sees.composer.toPlainText() == "How soon?"
    assert not holds_pictures(dropped(files[3]))


def test_a_picture_of_the_clipboard_is_taken_as_it_came_or_made_anew() -> None:
    mime = QMimeData()
    mime.setData("image/png", b"\x89PNG as it came")
    assert holds_pictures(mime)
    assert picture_bytes(mime) == b"\x89PNG as it came"
    drawn = QMimeData()
    image = QImage(4, 3, QImage.Format.Format_RGB888)
    image.fill(Qt.GlobalColor.red)
    drawn.setImageData(image)
    made = QImage.fromData(picture_bytes(drawn))
    assert (made.width(), made.height(), made.pixelColor(1, 1).name()) == (4, 3, "#ff0000")


def test_a_picture_is_seen_large(sees: ChatPage, window: MainWindow, files: tuple[Path, ...], qtbot: QtBot) -> None:
    sees.box.pictures.take(dropped(files[0]))
    qtbot.waitUntil(lambda: len(sees.box.pictures.tray.thumbs) == 1)
    qtbot.keyClick(sees.box.pictures.tray.thumbs[0], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: isinstance(window.overlay.panel, LargePicture))
    window.overlay.panel.close_button.click()
    assert window.overlay.panel is None


def test_pictures_of_an_earlier_question_are_shown_again(
    sees: ChatPage, bench: StandIn, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = bench.supervisor.call(
        chatting_request(),
        SimpleNamespace,
        Job("Look"),  # type: ignore[arg-type]
    )
    answer = traced()
    answer = msgspec.structs.replace(
        answer, question=msgspec.structs.replace(answer.question, pictures=(digest("tower"),))
    )
    monkeypatch.setattr(
        "app.pages.chat.kept_pictures", lambda bench, job, question: (chatting.Seen("Picture 1", PICTURE, copy),)
    )
    bench.assistants._traces.insert(0, (digest("trace"), answer))
    sees.opened()
    qtbot.waitUntil(lambda: len(sees.earlier.rows()) == 2)
    sees.earlier.choose(sees.earlier.rows()[1].key)
    qtbot.waitUntil(lambda: bool(sees.exchanges) and len(sees.exchanges[-1].pictures.thumbs) == 1)
    panel = open_trace(sees)
    assert "Pictures" in [child.text() for child in panel.findChildren(type(panel._note))]
    sees.shell.close_overlay()
    sees.exchanges[-1].again.emit()
    qtbot.waitUntil(lambda: bench.assistants.shown[-1:] == [(PICTURE,)])


def chatting_request() -> object:
    from core.inference.records import ShowPicture

    return ShowPicture(data=PICTURE)


def test_an_answer_with_pictures_is_said_to_be_computed_alone() -> None:
    answer = traced()
    assert "fast" in made_with(answer)
    shown = msgspec.structs.replace(answer, question=msgspec.structs.replace(answer.question, pictures=("ab" * 32,)))
    assert "reproducible" in made_with(shown)


def open_trace(chat: ChatPage) -> TracePanel:
    chat.exchanges[-1].trace.click()
    panel = chat.shell.overlay.panel  # type: ignore[attr-defined]
    assert isinstance(panel, TracePanel)
    return panel


def test_adapters_are_chosen_with_a_scale_and_asked_with(
    chat: ChatPage, window: MainWindow, bench: StandIn, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not chat.box.adapters.isVisible()
    chat.model.choose("seer")
    assert chat.box.adapters.accessibleName() == "Adapters: No adapter"
    chat.box.adapters.click()
    form = window.overlay.panel
    assert isinstance(form, AdapterForm)
    form.checks[digest("blunt")].click()
    form.scales[digest("blunt")].edit.setText("much")
    form.act.click()
    assert "Write a number" in form.scales[digest("blunt")].error
    form.scales[digest("blunt")].edit.setText("0,5")
    form.act.click()
    assert window.overlay.panel is None
    assert chat.box.adapters.text() == "blunt × 0.5"
    asked = []
    real = bench.assistants.ask
    monkeypatch.setattr(bench.assistants, "ask", lambda q, job, pictures: asked.append(q) or real(q, job))
    chat.composer.setPlainText("How soon?")
    chat.ask()
    qtbot.waitUntil(lambda: bool(asked))
    assert asked[0].adapters == (AdapterUse(model=digest("blunt"), scale=0.5),)
    qtbot.waitUntil(lambda: chat._handle is None)
    chat.model.choose("quotes")
    assert chat.box.adapters.uses == ()


def test_adapters_of_another_model_are_said_not_to_fit(chat: ChatPage, bench: StandIn, qtbot: QtBot) -> None:
    bench.models.held = [
        msgspec.structs.replace(one, architecture="bert") if one.purpose == "adapter" else one
        for one in bench.models.held
    ]
    chat.opened()
    qtbot.waitUntil(lambda: all(one.architecture == "bert" for one in chat._choices.adapters))
    chat.model.choose("seer")
    assert chat.box.adapters.isVisible()
    assert chat.box.adapters.toolTip() == "None of the adapters here was made for seer."


def test_an_answer_says_its_adapters_and_leads_to_its_tokens(chat: ChatPage, qtbot: QtBot) -> None:
    answer = traced()
    uses = (AdapterUse(model=digest("blunt"), scale=0.5), AdapterUse(model="ff" * 32))
    answer = msgspec.structs.replace(answer, question=msgspec.structs.replace(answer.question, adapters=uses))
    assert made_with(answer, {digest("blunt"): "blunt"}).startswith("corvid + blunt × 0.5 + ffffffff × 1   fast")
    chat._answered(chat._begin("How soon?"), answer)
    exchange = chat.exchanges[-1]
    assert exchange.tokens.isVisibleTo(exchange)
    exchange.tokens.click()
    panel = chat.shell.overlay.panel  # type: ignore[attr-defined]
    assert isinstance(panel, TracePanel)
    assert panel.view.current() == "tokens"


def test_two_answers_are_compared_with_adapters_and_pictures(
    sees: ChatPage, bench: StandIn, files: tuple[Path, ...], qtbot: QtBot
) -> None:
    sees.box.pictures.take(dropped(files[0]))
    qtbot.waitUntil(lambda: len(sees.box.pictures.seen) == 1)
    sees.side_by_side.click()
    both = sees.comparison
    assert len(both.pictures.seen) == 1
    left, right = both.sides
    left.model.choose("seer")
    right.model.choose("seer")
    left.adapters.take((AdapterUse(model=digest("polite"), scale=2.0),))
    assert left.adapters.accessibleName() == "Left: Adapters: polite × 2"
    both.composer.setPlainText("What is it?")
    both.ask()
    qtbot.waitUntil(lambda: all(side.answer is not None for side in both.sides) and not both.running)
    assert bench.assistants.shown == [(PICTURE + b"tower.png",)] * 2
    assert left.answer is not None
    left.keep.click()
    assert sees.box.adapters.uses == (AdapterUse(model=digest("polite"), scale=2.0),)
    assert len(sees.exchanges[-1].pictures.thumbs) == 1


def test_a_side_that_sees_nothing_keeps_pictures_from_being_asked(
    sees: ChatPage, files: tuple[Path, ...], qtbot: QtBot
) -> None:
    sees.side_by_side.click()
    both = sees.comparison
    for side in both.sides:
        side.model.choose("seer")
    both.pictures.take(dropped(files[0]))
    qtbot.waitUntil(lambda: len(both.pictures.seen) == 1)
    both.composer.setPlainText("What is it?")
    assert both.send.isEnabled()
    both.sides[1].model.choose("quotes")
    assert not both.send.isEnabled()
    assert "Quotes sees no pictures" in both.pictures.note.text()
