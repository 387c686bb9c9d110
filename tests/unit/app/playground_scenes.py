"""Pictures of the playground, for the command of `shots`."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QScrollArea

from app.main_window import MainWindow
from app.pages.playground import PlaygroundPage
from core.documents.records import AddDocuments
from core.inference.records import Message
from core.jobs import Job
from core.prompts.records import SavePrompt, Variable
from core.prompts.service import drafted
from tests.unit.app.playing import SORT, TYPED, VARIABLES, PlayBench
from tests.unit.app.standin import WHEN


def playground(then: Callable[[MainWindow, PlaygroundPage], None]) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        from tests.unit.app.shots import wait

        bench = PlayBench(Path(tempfile.mkdtemp()) / "Drug safety.assay")
        bench.vault.folder.mkdir(parents=True)
        bench.documents.add(AddDocuments(collection="safety", paths=("SOP-PV-014.pdf",)), Job("Add"))
        window.enter(bench)
        window.go("playground")
        wait(window)
        assert isinstance(window.page, PlaygroundPage)
        then(window, window.page)
        wait(window)

    return show


def answered(window: MainWindow, page: PlaygroundPage) -> None:
    page.columns[1].model.choose("corvid-1.5b")
    page.add_column()
    page.columns[2].prompt.choose("classify@1")
    page.collection.choose("safety")
    page.composer.setPlainText("The pump in room 4 stopped on Monday, because a worn seal let water into the motor.")
    page.ask()


def six(window: MainWindow, page: PlaygroundPage) -> None:
    answered(window, page)
    while page.add.isEnabled():
        page.add_column()
    page.columns[4].model.choose("broken-7b")
    from tests.unit.app.shots import wait

    wait(window)
    page.ask()


def begun(window: MainWindow, page: PlaygroundPage) -> None:
    page.composer.setPlainText("The pump in room 4 stopped")


def own_settings(window: MainWindow, page: PlaygroundPage) -> None:
    page.columns[0].settings.click()


def saw(window: MainWindow, page: PlaygroundPage) -> None:
    from tests.unit.app.shots import wait

    answered(window, page)
    wait(window)
    page.columns[0].prompt_button.click()


def typed(window: MainWindow, page: PlaygroundPage) -> None:
    """A field of each type, two of them wrong."""
    from tests.unit.app.shots import wait

    variables = (
        Variable(name="text", source="input"),
        Variable(name="aim", description="What the summary is for"),
        Variable(name="tone", kind="choice", choices=("calm", "warm")),
        Variable(name="words", kind="number", least=5, most=90),
        Variable(name="notes", kind="passages"),
        Variable(name="shots", kind="examples", dataset="triage@1", count=3),
    )
    said = Message(role="user", content="{{ aim }} {{ tone }} {{ words }} {{ notes }} {{ shots }} {{ text }}")
    made = SavePrompt(name="summarise", messages=(said,), variables=variables)
    window.operations.workbench.prompts.held.insert(0, drafted(made, 3, None, "ines", WHEN))  # type: ignore[union-attr]
    page.opened()
    wait(window)
    page.columns[0].prompt.choose("summarise@3")
    page._ask_values()
    page.fields["words"].edit.setText("120")  # type: ignore[union-attr]
    page.fields["notes"].edit.setPlainText("The pump was serviced in May.\n\nSeals last a year.")  # type: ignore[union-attr]
    page.composer.setPlainText("The pump in room 4 stopped on Monday.")
    page.ask()


SCENES = {
    "playground-typed": playground(typed),
    "playground": playground(begun),
    "playground-answered": playground(answered),
    "playground-six": playground(six),
    "playground-settings": playground(own_settings),
    "playground-prompt": playground(saw),
}


def editing(broken: bool) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        from tests.unit.app.shots import wait

        window.go("prompts")
        wait(window)
        page = window.page
        page.write_new()  # type: ignore[union-attr]
        editor = page.editor  # type: ignore[union-attr]
        editor.name.edit.setText("summarise")
        editor.messages[1].code.setPlainText(TYPED.messages[0].content + ("\n{{ toen }}" if broken else ""))
        editor.variables.fill(VARIABLES)
        editor.contract.fill(SORT.contract, SORT.settings)
        wait(window)
        editor.look()
        wait(window)
        area = editor.findChild(QScrollArea)
        area.verticalScrollBar().setValue(0 if broken else area.verticalScrollBar().maximum())

    return show


SCENES |= {"prompt-editor": editing(False), "prompt-editor-broken": editing(True)}
