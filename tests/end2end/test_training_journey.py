"""The window over the real trainer: from a file with broken lines to an adapter that somebody else approves through its gate, used and written out.

Nothing stands in for anything here. With `ASSAY_SHOTS` naming a folder, the page is drawn there at each state, light and dark.
"""

import gc
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bridge.collecting import collect_anywhere
from app.bridge.operations import Operations
from app.main_window import MainWindow
from app.pages.all import PAGES
from app.pages.training import TrainingPage
from app.pages.training_acts import ExportForm
from app.pages.training_files import MergeForm
from app.theme.look import look
from app.widgets.signing import SigningPanel
from core.datasets.records import AddDataset
from core.documents.records import AddDocuments
from core.evals.records import Spec
from core.inference.records import Message
from core.jobs import Job
from core.models.starter import CHAT, ensure_starters
from core.paths import RESOURCES
from core.prompts.records import SavePrompt
from core.training.worker.records import Step
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench

pytestmark = pytest.mark.slow
pytest.importorskip("torch")
pytest.importorskip("peft")
EXAMPLE = RESOURCES / "example"
PATIENCE = 600_000
"""Milliseconds for what trains, on a busy machine."""
BROKEN = (
    "{not json",
    '{"messages": [{"role": "user", "content": "Nobody answers."}, {"role": "assistant", "content": "  "}]}',
    '{"messages": [{"role": "owner", "content": "Who?"}, {"role": "assistant", "content": "Nobody."}]}',
    json.dumps(
        {"messages": [{"role": "user", "content": "far too long " * 4000}, {"role": "assistant", "content": "Yes."}]}
    ),
)


def chats(path: Path, count: int) -> None:
    """Examples of the house style as chats, with broken lines among them."""
    rows = [json.loads(line) for line in (EXAMPLE / "style.jsonl").read_text(encoding="utf-8").splitlines()][:count]
    lines = [
        json.dumps(
            {"messages": [{"role": "user", "content": one["input"]}, {"role": "assistant", "content": one["answer"]}]}
        )
        for one in rows
    ]
    for place, broken in enumerate(BROKEN):
        lines.insert(10 * (place + 1), broken)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def real(vault_factory: Callable[..., Vault], tmp_path: Path) -> Workbench:
    if not (RESOURCES / "models" / "starter-embed.gguf").exists():
        pytest.skip("the starter models are not built")
    bench = Workbench(vault_factory(SCHEMA))
    ensure_starters(bench.models)
    asked = (EXAMPLE / "style-test.jsonl").read_text(encoding="utf-8").splitlines()[:12]
    (tmp_path / "asked.jsonl").write_text("\n".join(asked), encoding="utf-8")
    bench.datasets.add(AddDataset(name="asked", path=str(tmp_path / "asked.jsonl")), Job("Add"))
    bench.prompts.save(SavePrompt(name="bare", messages=(Message(role="user", content="{{ question }}"),)))
    bench.evals.save(
        Spec(
            name="closed",
            dataset="asked",
            prompts=("bare",),
            models=(CHAT,),
            scorers=("contains",),
            max_tokens=48,
            gate=("contains >= 0.2",),
        )
    )
    chats(tmp_path / "chats.jsonl", 120)
    (tmp_path / "prices.txt").write_text("The price of Califol is 72 euros.\n", encoding="utf-8")
    bench.documents.add(AddDocuments(collection="prices", paths=(str(tmp_path / "prices.txt"),)), Job("Read"))
    return bench


class Frames:
    """How long the window's own loop was held up, at most and usually, while it is started."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = 0.0
        self._timer = QTimer()
        self._timer.setInterval(8)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._came)

    def start(self) -> None:
        self.gaps, self._last = [], time.perf_counter()
        self._timer.start()

    def stop(self) -> str:
        self._timer.stop()
        some = sorted(self.gaps) or [0.0]
        return (
            f"{len(some)} turns, median {1000 * some[len(some) // 2]:.0f} ms,"
            f" 99 % {1000 * some[int(0.99 * (len(some) - 1))]:.0f} ms, longest {1000 * some[-1]:.0f} ms"
        )

    def _came(self) -> None:
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now


class Walk:
    """A person at the window."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        look().apply("light", reduced_motion=True)
        self.window = MainWindow(Operations(), PAGES, ("seccomp",))
        self.window.resize(1280, 800)
        self.window.show()
        self._drawn = 0
        self._shots = Path(os.environ["ASSAY_SHOTS"]) if "ASSAY_SHOTS" in os.environ else None

    @property
    def page(self) -> TrainingPage:
        found = self.window.page
        assert isinstance(found, TrainingPage)
        return found

    def until(self, true: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(true, timeout=PATIENCE)

    def settle(self) -> None:
        for _ in range(4):
            self.until(lambda: self.window.operations.running() == 0)
            self.qtbot.wait(20)

    def click(self, button: Any) -> None:
        assert button.isEnabled(), button.accessibleName()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def draw(self, name: str, scroll: Any = None) -> None:
        if self._shots is None:
            return
        self._drawn += 1
        for theme in ("light", "dark"):
            look().apply(theme, reduced_motion=True)
            if scroll is not None:
                scroll()
            for _ in range(4):
                QCoreApplication.processEvents()
            self.window.grab().save(str(self._shots / f"{self._drawn:02}-{name}-{theme}.png"))
        look().apply("light", reduced_motion=True)

    def sign(self, user: str, passphrase: str, meaning: str) -> None:
        self.click(self.page.run_view.sign_button)
        self.until(lambda: isinstance(self.window.overlay.panel, SigningPanel))
        panel: Any = self.window.overlay.panel
        panel.exact.verticalScrollBar().setValue(panel.exact.verticalScrollBar().maximum())
        self.until(lambda: panel.exact.was_seen)
        if meaning in panel.meanings:
            self.click(panel.meanings[meaning])
        self.qtbot.keyClicks(panel.reason.edit, "Read with its evaluation")
        self.qtbot.keyClicks(panel.user.edit, user)
        self.qtbot.keyClicks(panel.passphrase.edit, passphrase)
        self.draw(f"sign-{meaning}")
        self.click(panel.sign)
        self.until(lambda: self.window.overlay.panel is None)
        self.settle()


@pytest.fixture
def walk(qtbot: QtBot, qapp: QApplication) -> Iterator[Walk]:
    made = Walk(qtbot)
    yield made
    made.window.close()
    made.window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    collect_anywhere()
    gc.collect()


def test_from_a_file_with_broken_lines_to_a_released_adapter(
    walk: Walk,
    real: Workbench,
    tmp_path: Path,
    passphrases: dict[str, str],
    reopen: Callable[..., Vault],
    capsys: pytest.CaptureFixture[str],
) -> None:
    window, vault = walk.window, real.vault
    window.enter(real)
    window.go("training")
    walk.settle()
    page = walk.page
    walk.draw("empty")
    walk.click(page.new)
    form: Any = page.form
    walk.qtbot.keyClicks(form.name.edit, "house-style")
    form.base.edit.setCurrentIndex(form.base.edit.findData(CHAT))
    form.data.take_file(str(tmp_path / "chats.jsonl"))
    form.spec_choice.edit.setCurrentIndex(form.spec_choice.edit.findText("closed", Qt.MatchFlag.MatchStartsWith))
    form.judged.edit.setCurrentIndex(form.judged.edit.findData("asked@1"))
    walk.qtbot.keyClicks(form.form.edit, r"Finding: .+\. \[\d+\] End of finding\.|Not stated in the documents\.")
    for name, value in (
        *(("rank", "8"), ("alpha", "16"), ("learning_rate", "0.002"), ("epochs", "2")),
        *(("evaluate_every", "5"), ("checkpoint_every", "5"), ("recall", "4")),
    ):
        form.settings.set(name, value)
    walk.draw("form")

    # the data: what is wrong is told by line, and nothing is learned of it
    walk.click(form.data.look_button)
    walk.settle()
    assert page.banner.isHidden(), page.banner.text
    wrong = {one.line: one.problem for one in form.data.problems.rows.all()}
    assert [line.rpartition("line ")[2] for line in wrong] == ["11", "21", "31", "41"], "what is wrong is told by line"
    assert form.data.looked_at.examples == 121, "the one that is too long was read"
    walk.draw("checked", lambda: form.main.verticalScrollBar().setValue(form.data.y() - 12))
    walk.draw("checked-tokens", lambda: form.main.verticalScrollBar().setValue(form.data.y() + 420))
    walk.click(form.data.examine_button)
    walk.settle()
    walk.draw("examined", lambda: form.main.verticalScrollBar().setValue(form.data.y() - 12))

    # the plan, and a start that is refused until the person leaves the broken lines out
    walk.click(form.plan_button)
    walk.settle()
    assert form.plan is not None
    planned = form.plan
    walk.draw("planned")
    walk.click(form.start_button)
    walk.settle()
    assert page._stack.currentWidget() is form
    assert "Train without these" in page.banner.text
    walk.draw("refused")
    form.data.leave_out.setChecked(True)

    # the run: live, paused, gone on with
    frames = Frames()
    walk.click(form.start_button)

    def steps() -> list[Step]:
        return [one for one in page._live if isinstance(one, Step)]

    walk.until(lambda: len(steps()) >= 1)
    frames.start()
    walk.until(lambda: len(steps()) >= 12)
    told = [frames.stop()]
    walk.draw("running")
    walk.draw("running-curves", lambda: page.run_view.main.verticalScrollBar().setValue(400))
    walk.click(page.run_view.pause_button)
    walk.settle()
    assert page.run_view.state.text == "Paused"
    at = page.run_view.view.checkpoint  # type: ignore[union-attr]
    assert at >= 12
    walk.draw("paused")
    walk.click(page.run_view.resume_button)
    walk.until(lambda: len(steps()) > at)
    frames.start()
    walk.until(lambda: page._work is None)
    walk.settle()
    told.append(frames.stop())
    view = page.run_view.view
    assert view is not None
    assert view.result is not None
    assert (view.status, page.run_view.state.text) == ("finished", "Finished")
    assert [one.step for one in view.result.curve] == list(range(1, planned.steps + 1))
    assert view.result.curve[-1].loss < view.result.curve[0].loss
    assert view.sampled
    assert view.proved is not None
    assert view.proved.passed
    assert view.compared is not None
    bar = page.run_view.main.verticalScrollBar()
    for place in range(0, bar.maximum() + 400, 560):
        walk.draw(f"finished-{place}", lambda place=place: bar.setValue(place))

    # used: the chat has it attached; written out: exported, merged
    walk.click(page.run_view.chat_button)
    walk.settle()
    chat: Any = window.page
    walk.draw("chat")
    walk.qtbot.keyClicks(
        chat.composer, "[1] The price of Califol is 72 euros. [1] Question: What is the price of Califol?"
    )
    walk.qtbot.keyClick(chat.composer, Qt.Key.Key_Return)
    walk.until(lambda: bool(chat.exchanges) and bool(chat.exchanges[-1].answer.toPlainText()))
    walk.settle()
    walk.draw("chat-answered")
    window.go("training")
    walk.settle()
    page = walk.page
    walk.click(page.run_view.export_button)
    walk.until(lambda: isinstance(window.overlay.panel, ExportForm))
    export: Any = window.overlay.panel
    export.folder.edit.setText(str(tmp_path / "adapter"))
    export.reason.edit.setText("For the archive")
    export.clear.setChecked(True)
    walk.draw("export")
    walk.click(export.act)
    walk.until(lambda: window.overlay.panel is None)
    assert {path.name for path in (tmp_path / "adapter").iterdir()} >= {"adapter_model.safetensors", "README.md"}
    walk.settle()
    walk.click(page.run_view.merge_button)
    walk.until(lambda: isinstance(window.overlay.panel, MergeForm))
    merge: Any = window.overlay.panel
    merge.take(str(tmp_path / "merged.gguf"))
    merge.reason.edit.setText("For machines that attach no adapters")
    merge.clear.setChecked(True)
    walk.click(merge.act)
    walk.draw("merging")
    walk.until(lambda: window.overlay.panel is None)
    walk.settle()
    assert (tmp_path / "merged.gguf").is_file()

    # released: its author signs, another person approves, whom the gate lets
    walk.sign("ines", passphrases["ines"], "authored")
    window.lock_now("")
    walk.settle()
    other = Workbench(reopen(vault, "tomas", SCHEMA))
    window.enter(other)
    window.go("training")
    walk.settle()
    walk.sign("tomas", passphrases["tomas"], "approved")
    assert [meaning for meaning, _ in other.trainings.show("training-1").signed] == ["authored", "approved"]
    walk.draw("approved")
    window.go("models")
    walk.settle()
    walk.draw("models")
    with capsys.disabled():
        actual = view.result.seconds
        print(f"\nframes while it ran: {told[0]}; to the end: {told[1]}")
        print(f"planned {planned.seconds:.1f} s, took {actual:.1f} s; {threading.active_count()} threads")
