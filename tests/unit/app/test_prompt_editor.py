"""The parts of the editor beside the messages: variables, the contract, settings, and the look at what it all makes."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.pages.prompt_editor import PromptEditor
from app.pages.prompt_parts import ContractForm, VariableForm
from core.errors import BadInput, TemplateError
from core.inference.records import Message
from core.prompts.records import Contract, Preview, PromptVersion, Sampling, SavePrompt, Variable
from core.prompts.service import content, drafted

TYPED = SavePrompt(
    name="label",
    messages=(Message(role="user", content="In a {{ tone }} tone:\n{{ question }}"),),
    variables=(
        Variable(name="tone", kind="choice", choices=("calm, low", "warm"), description="How", default="warm"),
        Variable(name="words", kind="number", least=5, most=90.5, default=40, source="metadata.words"),
        Variable(name="shots", kind="examples", dataset="notes@3", count=2),
        Variable(name="sources", kind="passages"),
        Variable(name="text", source="input"),
    ),
    contract=Contract(form="json", schema={"type": "object"}),
    settings=Sampling(temperature=0.2, max_tokens=9, top_k=3, stop=("\n",)),
)


@pytest.fixture
def editor(qtbot: QtBot) -> PromptEditor:
    made = PromptEditor()
    qtbot.addWidget(made)
    made.resize(900, 900)
    made.show()
    return made


def version(request: SavePrompt = TYPED) -> PromptVersion:
    return drafted(request, 3, None, "ines", "")


def test_the_next_version_begins_with_all_that_the_last_one_says(editor: PromptEditor) -> None:
    editor.write_next(version(), 3)
    assert editor.request() == content(version())
    assert editor.draft() is None


@pytest.mark.parametrize("contract", [Contract(), Contract(form="choice", choices=("yes, but", "no"))])
def test_a_contract_is_given_back_as_it_was(qtbot: QtBot, contract: Contract) -> None:
    form = ContractForm()
    qtbot.addWidget(form)
    form.fill(contract, Sampling(repeat_penalty=1.1))
    assert (form.contract, form.settings) == (contract, Sampling(repeat_penalty=1.1))


@pytest.mark.parametrize(
    ("kind", "details", "default", "made"),
    [
        ("choice", "calm, warm", "calm", Variable(name="x", kind="choice", choices=("calm", "warm"), default="calm")),
        ("number", "5, 90", "40", Variable(name="x", kind="number", least=5, most=90, default=40)),
        ("number", ", 90.5", "", Variable(name="x", kind="number", most=90.5)),
        ("number", "", "many", Variable(name="x", kind="number", default="many")),
        ("examples", "notes@2, 3", "", Variable(name="x", kind="examples", dataset="notes@2", count=3)),
        ("examples", "notes", "", Variable(name="x", kind="examples", dataset="notes")),
        ("text", "", "calm", Variable(name="x", default="calm")),
    ],
)
def test_a_variable_is_written(qtbot: QtBot, kind: str, details: str, default: str, made: Variable) -> None:
    form = VariableForm(Variable(name=""))
    qtbot.addWidget(form)
    form.name.setText("x")
    form.kind.setCurrentIndex(form.kind.findData(kind))
    form.details.setText(details)
    form.default.setText(default)
    assert form.variable == made
    assert form.name.accessibleName() == "Name of x"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda editor: editor.contract.schema.setPlainText("{"), "schema of the contract: not readable as JSON"),
        (lambda editor: editor.contract.temperature.setText("warm"), "Temperature: warm isn't a number"),
        (lambda editor: editor.variables.forms[1].details.setText("few"), "Variable words: write its bounds"),
    ],
)
def test_what_can_not_be_read_is_said_and_not_saved(
    editor: PromptEditor, change: Callable[[PromptEditor], None], said: str
) -> None:
    saved: list[object] = []
    editor.saved.connect(saved.append)
    editor.write_next(version(), 3)
    change(editor)
    with pytest.raises(BadInput):
        editor.request()
    editor.hand_over()
    assert said in editor.said()
    assert saved == []


def test_it_is_looked_at_after_a_change_and_the_tokens_are_counted(editor: PromptEditor, qtbot: QtBot) -> None:
    editor.write_next(version(), 3)
    editor.offer(("starter-chat",))
    with qtbot.waitSignal(editor.checked, timeout=20_000) as asked:
        editor.messages[0].code.setPlainText("Say {{ question }}")
    request, model = asked.args  # type: ignore[misc]
    assert request.messages[0].content == "Say {{ question }}"
    assert model == ""
    with qtbot.waitSignal(editor.checked, timeout=20_000) as asked:
        editor.model.choose("starter-chat")
    assert asked.args[1] == "starter-chat"  # type: ignore[index]
    editor.show_preview(Preview(messages=(Message(role="user", content="Say so"),), tokens=84, window=1536))
    assert "Say so" in editor.preview.toPlainText()
    assert editor.said().startswith("84 tokens of 1,536.")


def test_an_undeclared_variable_is_marked_at_its_line(editor: PromptEditor) -> None:
    editor.write_next(version(), 3)
    error = TemplateError(source="label, user, variable toen", line=2, problem="it isn't declared.")
    editor.show_problem(error)
    assert editor.messages[0].error == "Line 2, toen: it isn't declared."
    assert "variable toen, line 2" in editor.said()


def test_a_draft_keeps_variables_contract_and_settings(editor: PromptEditor) -> None:
    editor.write_next(version(), 3)
    editor.variables.forms[0].description.setText("How it sounds")
    draft = editor.draft()
    editor.write_new()
    assert editor.request().variables == ()
    editor.take_draft(draft)
    assert editor.request().variables[0].description == "How it sounds"
    assert editor.request().settings == TYPED.settings


def test_variables_are_added_and_taken_out(editor: PromptEditor, qtbot: QtBot) -> None:
    editor.write_new()
    qtbot.mouseClick(editor.variables.add, Qt.MouseButton.LeftButton)
    editor.variables.forms[0].name.setText("tone")
    assert [variable.name for variable in editor.request().variables] == ["tone"]
    qtbot.mouseClick(editor.variables.forms[0].drop, Qt.MouseButton.LeftButton)
    assert editor.request().variables == ()
