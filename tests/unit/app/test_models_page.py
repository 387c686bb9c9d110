"""The models page over a real vault: memory, plans, adding, making, cards with their approval, aliases, and the disk."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from app.bridge.models import kind_of
from app.bridge.operations import Operations
from app.pages.model_forms import AliasForm, AliasHistory, CardForm, CardVersions, ImportForm, QuantizeForm, Told
from app.pages.models import ModelsPage
from app.pages.models_memory import NONE, doing
from app.pages.removal import Removal
from core import settings
from core.models.cards import ModelCards
from core.models.records import SaveCard, SignCard
from core.trust.canonical import digest as sha256
from core.vault.joining import Joined
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.conftest import PASSPHRASES
from tests.unit.app.model_bench import GB, Engine, ModelBench
from tests.unit.app.shells import TestShell


@pytest.fixture
def bench(vault_factory: Callable[..., Vault], tmp_path: Path) -> ModelBench:
    made = ModelBench(vault_factory(SCHEMA), tmp_path / "models")
    made.put("corvid-f16", "f16")
    made.put("magpie", "q4_k_m", signature="unchecked", signed_by="Merrowdale")
    made.put("rook-embed", purpose="embed")
    return made


@pytest.fixture
def shell(bench: ModelBench, qtbot: QtBot) -> Iterator[TestShell]:
    operations = Operations()
    operations.attach(bench)  # type: ignore[arg-type]
    made = TestShell(operations)
    yield made
    bench.making.gate.set()
    operations.detach()
    operations.close()
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def page(shell: TestShell, qtbot: QtBot) -> ModelsPage:
    made = shell.hold(ModelsPage(shell))  # type: ignore[arg-type]
    assert isinstance(made, ModelsPage)
    qtbot.waitUntil(lambda: made.detail.model is not None and shell.operations.running() == 0)
    return made


def names(page: ModelsPage) -> list[str]:
    return [one.name for one in page.table.rows.all()]


def approve(bench: ModelBench, reference: str) -> None:
    """As the reviewer, in their own sitting."""
    theirs = Joined(bench.vault, "tomas")
    with theirs.confirm(PASSPHRASES["tomas"]) as signer:
        cards = ModelCards(theirs, bench._models, bench.model_cards._run)
        cards.sign(SignCard(reference=reference, meaning="approved", reason="fits"), signer)


def test_what_is_in_memory_shows_its_share_speed_and_work(page: ModelsPage, bench: ModelBench, qtbot: QtBot) -> None:
    assert page.memory.words() == ()
    bench.engine.hold("corvid-f16", requests=2)
    bench.engine.hold("rook-embed", memory=90_000_000)
    page._look_at_memory()
    qtbot.waitUntil(lambda: len(page.memory.words()) == 2)
    assert page.memory.words()[0] == "Busy: 2 requests, 21 tokens/s, context 4,096, 16 slots"
    assert page.memory.words()[1].startswith("Idle")
    assert page.memory.bar.accessibleDescription() == "corvid-f16 1.3 GB, rook-embed 90 MB"
    assert page.memory.buttons["corvid-f16"].text() == "Stop"
    assert page._state(page.found.models[0]).text == "Busy"
    assert "6.0 GB that models may take" in page.memory._sum.text()


def test_a_look_that_finds_the_same_keeps_the_button_and_its_focus(
    page: ModelsPage, bench: ModelBench, qtbot: QtBot
) -> None:
    bench.engine.hold("corvid-f16", requests=1)
    page._look_at_memory()
    qtbot.waitUntil(lambda: "corvid-f16" in page.memory.buttons)
    before = page.memory.buttons["corvid-f16"]
    bench.engine.held.clear()
    bench.engine.hold("corvid-f16")
    page._look_at_memory()
    qtbot.waitUntil(lambda: page.memory.words()[0].startswith("Idle"))
    assert page.memory.buttons["corvid-f16"] is before
    assert before.text() == "Unload"


def test_unloading_takes_a_model_out_of_memory(page: ModelsPage, bench: ModelBench, qtbot: QtBot) -> None:
    bench.engine.hold("corvid-f16")
    page._look_at_memory()
    qtbot.waitUntil(lambda: "corvid-f16" in page.memory.buttons)
    qtbot.mouseClick(page.memory.buttons["corvid-f16"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.memory.words() == () and not page._looking)
    assert bench.engine.unloaded == [(sha256(b"corvid-f16"), "")]
    assert page.memory._rows.itemAt(0).widget().text() == NONE


def test_a_model_with_its_projector_is_another_one_than_without(
    page: ModelsPage, bench: ModelBench, qtbot: QtBot
) -> None:
    bench.engine.hold("corvid-f16", projector="corvid-eyes")
    bench.engine.hold("corvid-f16", requests=1)
    page._look_at_memory()
    qtbot.waitUntil(lambda: len(page.memory.words()) == 2)
    assert list(page.memory.buttons) == ["corvid-f16 with corvid-eyes", "corvid-f16"]
    assert page.memory._amounts[0].text() == "up to 1.3 GB, now 1.2 GB"
    assert page._state(page.found.models[0]).text == "Busy"
    unload = page.memory.buttons["corvid-f16 with corvid-eyes"]
    assert unload.accessibleName() == "Unload corvid-f16 with corvid-eyes"
    qtbot.mouseClick(unload, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: list(page.memory.buttons) == ["corvid-f16"] and not page._looking)
    assert bench.engine.unloaded == [(sha256(b"corvid-f16"), sha256(b"corvid-eyes"))]


def test_a_plan_shows_its_parts_and_that_it_fits(page: ModelsPage, bench: ModelBench, qtbot: QtBot) -> None:
    page.detail.plan.ask.click()
    qtbot.waitUntil(lambda: page.detail.plan.plan is not None)
    assert (
        page.detail.plan.said == "It fits: up to 1.4 GB of the 6.0 GB that it may take, with a context of 4,096 tokens."
    )
    assert "Weights 900 MB" in page.detail.plan.bar.accessibleDescription()
    assert not page.detail.plan.use.isVisible()


def test_a_plan_that_does_not_fit_offers_the_context_that_would(
    page: ModelsPage, bench: ModelBench, qtbot: QtBot
) -> None:
    bench.engine.room = int(1.3 * GB)
    page.detail.plan.context.edit.setText("8192")
    qtbot.keyClick(page.detail.plan.context.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.detail.plan.plan is not None)
    assert page.detail.plan.said.endswith("A context of 1,024 tokens would fit.")
    page.detail.plan.use.click()
    qtbot.waitUntil(lambda: page.detail.plan.said.startswith("It fits"))
    assert settings.load().model_context == 1024
    assert bench.engine.planned == [("corvid-f16", 8192), ("corvid-f16", 1024)]


@pytest.mark.parametrize("wrong", ["many", "100", "-5", "99999999", "²"])
def test_a_context_that_is_no_length_is_refused_below_the_field(
    page: ModelsPage, bench: ModelBench, wrong: str
) -> None:
    page.detail.plan.context.edit.setText(wrong)
    page.detail.plan.ask.click()
    assert "Write a number from 512" in page.detail.plan.context.error
    assert bench.engine.planned == []


def test_another_model_begins_without_the_plan_of_the_one_before(
    page: ModelsPage, bench: ModelBench, qtbot: QtBot
) -> None:
    page.detail.plan.ask.click()
    qtbot.waitUntil(lambda: page.detail.plan.plan is not None)
    page.table.choose(1)
    qtbot.waitUntil(lambda: page.detail.model is not None and page.detail.model.name == "magpie")
    assert page.detail.plan.plan is None


def drop(page: ModelsPage, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    page.dropEvent(
        QDropEvent(
            QPointF(10, 10),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def test_a_dropped_file_is_registered_and_chosen(page: ModelsPage, tmp_path: Path, qtbot: QtBot) -> None:
    file = tmp_path / "jay.gguf"
    file.write_bytes(b"GGUF and more")
    drop(page, file)
    qtbot.waitUntil(lambda: "jay" in names(page) and page.detail.model.name == "jay")
    assert page.add.isEnabled()


def test_a_dropped_text_file_is_named_as_none(page: ModelsPage, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Hello")
    drop(page, file)
    assert page.banner.text.startswith("notes.txt isn’t a model file.")


def test_a_file_that_only_ends_like_a_model_is_refused_by_the_core(
    page: ModelsPage, tmp_path: Path, qtbot: QtBot
) -> None:
    file = tmp_path / "torn.gguf"
    file.write_bytes(b"hello")
    drop(page, file)
    qtbot.waitUntil(lambda: "torn.gguf" in page.banner.text)
    assert "torn" not in names(page)
    assert page.add.isEnabled()


def test_a_name_that_is_taken_is_said(page: ModelsPage, tmp_path: Path, qtbot: QtBot) -> None:
    file = tmp_path / "magpie.gguf"
    file.write_bytes(b"GGUF another one")
    drop(page, file)
    qtbot.waitUntil(lambda: "magpie" in page.banner.text)


def test_what_a_path_is(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    (tmp_path / "blob").write_bytes(b"GGUF")
    assert kind_of(str(tmp_path)) == "folder"
    assert "without config.json" in kind_of(str(tmp_path / "empty"))
    assert kind_of(str(tmp_path / "blob")) == "model"
    assert "can’t be read" in kind_of(str(tmp_path / "gone.txt"))


@pytest.fixture
def hugging(tmp_path: Path) -> Path:
    folder = tmp_path / "jackdaw"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


def test_a_dropped_folder_is_imported_and_its_notes_are_shown(
    page: ModelsPage, shell: TestShell, bench: ModelBench, hugging: Path, qtbot: QtBot
) -> None:
    drop(page, hugging)
    form = shell.overlay.panel
    assert isinstance(form, ImportForm)
    form.act.click()
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, Told))
    assert shell.overlay.panel.notes[0] == "Its chat template is kept as it stands."
    assert bench.making.asked[0].folder == str(hugging)
    qtbot.waitUntil(lambda: "jackdaw" in names(page))


def test_a_folder_without_a_model_is_refused_below_the_field(
    page: ModelsPage, shell: TestShell, tmp_path: Path
) -> None:
    page.ask_import()
    form = shell.overlay.panel
    form.folder.edit.setText(str(tmp_path))
    form.act.click()
    assert "no config.json" in form.folder.error


def test_an_import_is_cancelled_and_leaves_nothing(
    page: ModelsPage, shell: TestShell, bench: ModelBench, hugging: Path, qtbot: QtBot
) -> None:
    bench.making.gate.clear()
    page.ask_import(str(hugging))
    shell.overlay.panel.act.click()
    qtbot.waitUntil(lambda: page.work._count.text().endswith("of 100"))
    assert page._working.isVisible()
    assert not page.add.isEnabled()
    page.work.cancel.click()
    qtbot.waitUntil(lambda: page._work is None)
    assert "jackdaw" not in names(page)
    assert page.add.isEnabled()
    assert not page._working.isVisible()


def test_quantizing_offers_the_usual_types_and_shows_the_loss(
    page: ModelsPage, shell: TestShell, bench: ModelBench, qtbot: QtBot
) -> None:
    page.detail.quantize_button.click()
    form = shell.overlay.panel
    assert isinstance(form, QuantizeForm)
    assert form.kind.edit.itemText(0).startswith("Q4_K_M, about ")
    form.text.edit.setPlainText("The site reports within 24 hours.")
    form.importance.edit.setPlainText("Sites report within a day. ")
    form.act.click()
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, Told))
    assert ("Same likeliest token", "94.3 % of 311") in shell.overlay.panel.facts
    assert bench.making.asked[0].quantization == "Q4_K_M"
    assert bench.making.asked[0].importance == "Sites report within a day."
    assert not bench.making.asked[0].again


def test_a_quantized_model_is_quantized_again_only_when_that_is_said(
    page: ModelsPage, shell: TestShell, bench: ModelBench, qtbot: QtBot
) -> None:
    page.table.choose(1)
    page.detail.quantize_button.click()
    form = shell.overlay.panel
    form.act.click()
    assert form.problem.startswith("It is quantized already.")
    form.again.click()
    form.act.click()
    qtbot.waitUntil(lambda: bool(bench.making.asked))
    assert bench.making.asked[0].again


def test_the_card_is_written_approved_by_somebody_else_and_withdrawn_is_refused_here(
    page: ModelsPage, shell: TestShell, bench: ModelBench, qtbot: QtBot
) -> None:
    assert page.detail.approved.text == "No card"
    page.detail.describe_button.click()
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, CardForm))
    form = shell.overlay.panel
    form.act.click()
    assert form.parts["intended"].error == "What it is meant for is missing."
    form.parts["intended"].edit.setPlainText("Answers from the procedures")
    form.runs.edit.setText("run-9")
    form.act.click()
    assert form.runs.error == "There is no run run-9 here."
    form.runs.edit.setText("run-1")
    form.act.click()
    qtbot.waitUntil(lambda: page.detail.approved.text == "Not approved")
    approve(bench, "corvid-f16@1")
    page.opened()
    qtbot.waitUntil(lambda: page.detail.approved.text == "Approved")
    qtbot.waitUntil(lambda: any("Tomás" in words for words in page.detail.signatures.words()))
    assert page.detail.withdraw_button.isVisible()
    assert not page.detail.withdraw_button.isEnabled()
    assert "is approved" in page.detail.remove_button.toolTip()


def test_the_author_signs_the_card_and_may_not_approve_it(
    page: ModelsPage, shell: TestShell, bench: ModelBench, qtbot: QtBot
) -> None:
    bench.model_cards.save(SaveCard(model="corvid-f16", intended="stories"))
    page.opened()
    qtbot.waitUntil(lambda: page.detail.sign_button.isVisible() and shell.operations.running() == 0)
    page.detail.sign_button.click()
    panel = shell.overlay.panel
    assert "Intended use:\nstories" in panel.exact._text
    panel.signed.emit(
        type("S", (), {"meaning": "authored", "reason": "done", "user": "ines", "passphrase": PASSPHRASES["ines"]})()
    )
    qtbot.waitUntil(lambda: any("Inês" in words for words in page.detail.signatures.words()))
    assert page.detail.approved.text == "Not approved"


def test_versions_of_a_card_are_read(page: ModelsPage, shell: TestShell, bench: ModelBench, qtbot: QtBot) -> None:
    bench.model_cards.save(SaveCard(model="corvid-f16", intended="stories"))
    bench.model_cards.save(SaveCard(model="corvid-f16", intended="long stories"))
    page.opened()
    qtbot.waitUntil(lambda: page.detail.versions_button.isVisible())
    page.detail.versions_button.click()
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, CardVersions))
    assert [shell.overlay.panel.which.itemText(at)[:9] for at in range(2)] == ["Version 2", "Version 1"]


def test_an_alias_is_pointed_moved_and_ended(
    page: ModelsPage, shell: TestShell, bench: ModelBench, qtbot: QtBot
) -> None:
    page.detail.point_button.click()
    form = shell.overlay.panel
    assert isinstance(form, AliasForm)
    form.name.edit.setText("magpie")
    form.act.click()
    qtbot.waitUntil(lambda: "magpie" in form.problem)
    form.name.edit.setText("safety-answers")
    form.act.click()
    qtbot.waitUntil(lambda: "safety-answers" in page.detail.alias_buttons)
    assert "the alias safety-answers points at it" in page.detail.remove_button.toolTip()
    page.detail.alias_buttons["safety-answers"].click()
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, AliasHistory))
    shell.overlay.panel.move.click()
    form = shell.overlay.panel
    form.target.edit.setCurrentIndex(form.target.edit.findText("magpie"))
    form.act.click()
    qtbot.waitUntil(lambda: [alias.model_name for alias in page.found.aliases] == ["magpie"])
    page.table.choose(1)
    qtbot.waitUntil(lambda: "safety-answers" in page.detail.alias_buttons)
    page.detail.alias_buttons["safety-answers"].click()
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, AliasHistory))
    assert len(shell.overlay.panel.facts) == 2
    shell.overlay.panel.end.click()
    assert isinstance(shell.overlay.panel, Removal)
    shell.overlay.panel.remove.click()
    qtbot.waitUntil(lambda: page.found.aliases == ())


def test_the_disk_shows_sizes_copies_and_files_that_are_not_registered(
    page: ModelsPage, bench: ModelBench, qtbot: QtBot
) -> None:
    (bench.folder / "copy.gguf").write_bytes((bench.folder / "magpie.gguf").read_bytes())
    page.view.segment("disk").click()
    qtbot.waitUntil(lambda: page.disk.found is not None)
    assert page.disk._twice.isVisible()
    assert [Path(path).name for path, _ in page.disk.found.others] == ["copy.gguf"]
    assert set(page.disk.buttons) == {"corvid-f16", "magpie", "rook-embed"}
    assert not page._side.isVisible()


def test_deleting_asks_first_and_what_is_in_use_stays(
    page: ModelsPage, shell: TestShell, bench: ModelBench, qtbot: QtBot
) -> None:
    bench.model_aliases.move(AliasForm(bench.models.list(), "corvid-f16", "ready").request())
    page.view.segment("disk").click()
    qtbot.waitUntil(lambda: "corvid-f16" in page.disk.buttons)
    assert "the alias ready points at it" in page.disk.buttons["corvid-f16"].toolTip()
    page.disk.discard.emit("magpie")
    assert isinstance(shell.overlay.panel, Removal)
    shell.overlay.panel.keep.click()
    assert (bench.folder / "magpie.gguf").exists()


def test_a_reviewer_is_told_what_they_may_not(bench: ModelBench, qtbot: QtBot, shell: TestShell) -> None:
    bench.vault.user = bench.vault.user.__class__(
        **{
            **{name: getattr(bench.vault.user, name) for name in bench.vault.user.__struct_fields__},
            "roles": ("reviewer",),
        }
    )
    made = shell.hold(ModelsPage(shell))  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: made.detail.model is not None and shell.operations.running() == 0)
    assert "an author or administrator may" in made.add.toolTip()
    assert "an author must" in made.detail.describe_button.toolTip()
    assert made.detail.point_button.isEnabled()


def test_the_page_never_waits_for_the_core(page: ModelsPage, bench: ModelBench, qtbot: QtBot) -> None:
    held = threading.Event()
    bench.engine.plan = lambda *_: held.wait(120)  # type: ignore[method-assign, assignment]
    page.detail.plan.ask.click()
    assert "being measured" in page.detail.plan.ask.toolTip()
    page.table.choose(1)
    held.set()
    qtbot.waitUntil(lambda: page.operations.running() == 0)
    assert page.detail.plan.plan is None


def test_what_is_done_on_a_graphics_card_is_said() -> None:
    engine = Engine()
    engine.hold("corvid")
    assert doing(engine.held[0]) == "Idle, 21 tokens/s, context 4,096, 16 slots"
    half = msgspec.structs.replace(engine.held[0], gpu_layers=12, layers=24, tokens_per_second=0.0, slots=1)
    assert doing(half) == "Idle, context 4,096, 1 slot, 12 of 24 layers on the graphics card"
