"""Pictures of the chat with pictures and adapters, for the command of `shots`."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from app.bridge.chatting import Given
from app.main_window import MainWindow
from core.documents.records import AddDocuments
from core.inference.records import AdapterUse, Message, ShownPicture
from core.jobs import Job
from core.prompts.records import PromptState, PromptVersion, Variable
from tests.unit.app.standin import WHEN, StandIn, Supervisor, digest, model

VARIABLES = (
    Variable(name="tone", kind="choice", choices=("plain", "formal"), description="How it sounds"),
    Variable(name="words", kind="number", least=1, most=50, description="How long it is"),
    Variable(name="for_whom", default="a nurse"),
    Variable(name="shown", kind="examples", dataset="cases"),
    Variable(name="about", source="input"),
)


def with_variables(bench: StandIn) -> None:
    """The prompt `toned` beside the one that is there."""
    messages = (Message(role="user", content="{{ tone }} {{ words }} {{ for_whom }} {{ shown }} {{ about }}"),)
    made = PromptVersion(
        name="toned", number=1, messages=messages, notes="", parent=None, author="ines", saved=WHEN, variables=VARIABLES
    )
    before = bench.prompts.list()
    state = PromptState(digest=digest("toned"), prompt=made, labels=(), signed=())
    bench.prompts.list = lambda: (*before, state)  # type: ignore[method-assign]


def drawn(width: int, height: int, hue: int) -> ShownPicture:
    """A picture of a tower, more or less."""
    image = QImage(width, height, QImage.Format.Format_RGB888)
    image.fill(QColor.fromHsv(hue, 40, 235))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor.fromHsv(hue, 160, 130))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPolygon(
        [QPointF(width * x, height * y) for x, y in ((0.3, 1), (0.36, 0.2), (0.5, 0.05), (0.64, 0.2), (0.7, 1))]
    )
    painter.end()
    packed = b"".join(bytes(image.constScanLine(line))[: width * 3] for line in range(height))
    return ShownPicture(width=width * 8, height=height * 8, shown_width=width, shown_height=height, pixels=packed)


class Drawing(Supervisor):
    """Draws every picture."""

    def call(self, request: object, reply: type, job: Job) -> ShownPicture:
        data = request.data  # type: ignore[attr-defined]
        return drawn(192 if data[-1] % 2 else 120, 140, data[-1] * 37 % 360)


def chat(then: Callable[[MainWindow], None], sees: bool = True) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        from tests.unit.app.shots import wait

        bench = StandIn(Path(tempfile.mkdtemp()) / "Drug safety.assay")
        bench.vault.folder.mkdir(parents=True)
        bench.supervisor = Drawing()
        bench.models.held += [
            model("corvid-vision-4b", "chat"),
            model("safety-tone", "adapter"),
            model("terse", "adapter"),
        ]
        bench.models.held += [model("corvid-eyes", "projector")] if sees else []
        bench.documents.add(AddDocuments(collection="safety", paths=("SOP-PV-014.pdf",)), Job("Add"))
        window.operations._workbench = bench  # type: ignore[assignment]
        window.go("chat")
        wait(window)
        window.page.model.choose("corvid-vision-4b")  # type: ignore[union-attr]
        then(window)

    return show


def pictured(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    page = window.page
    names = ("scan of the seal.png", "gate.jpg", "label.png")
    page.box.pictures.add([Given(name, data=bytes([number])) for number, name in enumerate(names, 1)])  # type: ignore[union-attr]
    uses = (AdapterUse(model=digest("safety-tone"), scale=0.8),)
    page.box.adapters.take(uses)  # type: ignore[union-attr]
    page.composer.setPlainText("Is the seal on the box broken, and what must the site report?")  # type: ignore[union-attr]
    wait(window)


def asked(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    pictured(window)
    page = window.page
    page.ask()  # type: ignore[union-attr]
    wait(window)
    exchange = page.exchanges[-1]  # type: ignore[union-attr]
    made = replace(page._answers[exchange], model="corvid-vision-4b", rendered="x", tokens=84, seconds=6.2)  # type: ignore[union-attr]
    page._answered(exchange, made)  # type: ignore[union-attr]


def blind(window: MainWindow) -> None:
    window.page.box.pictures.add([Given("gate.jpg", data=b"1")])  # type: ignore[union-attr]


def adapters(window: MainWindow) -> None:
    pictured(window)
    window.page.box.adapters.click()  # type: ignore[union-attr]


def large(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    pictured(window)
    window.page.box.pictures.tray.thumbs[0].clicked.emit()  # type: ignore[union-attr]
    wait(window)


def compared(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    pictured(window)
    window.page.side_by_side.click()  # type: ignore[union-attr]
    both = window.page.comparison  # type: ignore[union-attr]
    for side in both.sides:
        side.model.choose("corvid-vision-4b")
    both.sides[1].adapters.take((AdapterUse(model=digest("terse")),))
    both.composer.setPlainText("Is the seal broken?")
    both.ask()
    wait(window)


def traced(window: MainWindow) -> None:
    asked(window)
    page = window.page
    exchange = page.exchanges[-1]  # type: ignore[union-attr]
    answer = page._answers[exchange]  # type: ignore[union-attr]
    page._answers[exchange] = replace(answer, question=replace(answer.question, pictures=(digest("a"), digest("b"))))  # type: ignore[union-attr]
    page._show_how(exchange)  # type: ignore[union-attr]


def valued(window: MainWindow) -> None:
    """A prompt with variables, of which one doesn't fit."""
    from tests.unit.app.shots import wait

    with_variables(window.operations.workbench)  # type: ignore[arg-type]
    window.page.opened()  # type: ignore[union-attr]
    wait(window)
    page = window.page
    page.prompt.choose("toned@1")  # type: ignore[union-attr]
    page._judge()  # type: ignore[union-attr]
    page.composer.setPlainText("Is the seal on the box broken?")  # type: ignore[union-attr]
    page.box.values.fields["tone"].edit.setCurrentIndex(1)  # type: ignore[union-attr]
    page.box.values.fields["words"].edit.setText("70")  # type: ignore[union-attr]
    page.ask()  # type: ignore[union-attr]


def broken(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    page = window.page
    page.composer.setPlainText("Is the seal on the box broken?")  # type: ignore[union-attr]
    page.ask()  # type: ignore[union-attr]
    wait(window)
    exchange = page.exchanges[-1]  # type: ignore[union-attr]
    said = "it is no JSON: expecting value at line 1, column 1."
    made = replace(page._answers[exchange], model="corvid-vision-4b", rendered="x", contract="broken", broken=said)  # type: ignore[union-attr]
    page._answered(exchange, made)  # type: ignore[union-attr]


def fixed(window: MainWindow) -> None:
    """The editor of assistants with a prompt that has variables."""
    from tests.unit.app.shots import wait

    valued(window)
    window.page.assistants.click()  # type: ignore[union-attr]
    wait(window)
    form = window.overlay.panel
    for field, wanted in ((form.model, "corvid-vision-4b"), (form.prompt, "toned@1")):  # type: ignore[union-attr]
        field.edit.setCurrentIndex(field.edit.findData(wanted))


def alone(window: MainWindow) -> None:
    """A model with an adapter, and no documents."""
    page = window.page
    page.collection.choose("")  # type: ignore[union-attr]
    page.box.adapters.take((AdapterUse(model=digest("safety-tone")),))  # type: ignore[union-attr]
    page.composer.setPlainText("Report that the second dose was given four hours late.")  # type: ignore[union-attr]


SCENES: dict[str, Callable[[MainWindow], None]] = {
    "chat-alone": chat(alone),
    "chat-plain": chat(lambda window: None),
    "chat-pictures": chat(pictured),
    "chat-asked": chat(asked),
    "chat-blind": chat(blind, sees=False),
    "chat-adapters": chat(adapters),
    "chat-large": chat(large),
    "chat-compared": chat(compared),
    "chat-trace": chat(traced),
    "chat-values": chat(valued),
    "chat-broken": chat(broken),
    "assistant-values": chat(fixed),
}
