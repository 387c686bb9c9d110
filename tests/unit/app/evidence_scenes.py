"""Scenes of the evidence page for `shots`: each state that an auditor or a team meets, over packs made on the spot."""

import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QScrollArea

from app.main_window import MainWindow
from app.pages import pack_words
from core.evals.records import RunSpec
from core.evidence.redaction import FIELDS
from core.jobs import Job
from tests.unit.app import packs
from tests.unit.app.evaluation_scenes import with_judge, with_runs
from tests.unit.evidence.judging import AT

Scene = Callable[[MainWindow], None]


@cache
def files() -> dict[str, Path]:
    pack_words.clock = lambda: AT
    return packs.lay_out(Path(tempfile.mkdtemp()))


def settle(window: MainWindow) -> None:
    for _ in range(600):
        QCoreApplication.processEvents()
        if window.operations.running() == 0:
            break
        import time

        time.sleep(0.01)
    for _ in range(6):
        QCoreApplication.processEvents()


def page(window: MainWindow) -> Any:
    return window.page


def outside(*names: str, then: Callable[[Any], None] = lambda _: None) -> Scene:
    """The page without a vault, after these files were dropped on it."""

    def show(window: MainWindow) -> None:
        window.lock_now("")
        settle(window)
        window.go("evidence")
        settle(window)
        if names:
            page(window).take([str(files()[name]) for name in names])
            for _ in range(3):
                settle(window)
        then(page(window))
        for _ in range(3):
            settle(window)

    return show


def inside(view: str, then: Callable[[Any], None] = lambda _: None) -> Scene:
    """The page with a vault that has a finished run."""

    def show(window: MainWindow) -> None:
        bench: Any = window.operations.workbench
        if not bench.evals.list():
            bench.with_dataset().with_spec()
            spec = bench.evals.spec("cite-answers-comparison").spec.spec
            for name in ("quotes-only", "safety-answers"):
                short = msgspec.structs.replace(spec, name=name, prompts=(), models=(), criteria=())
                bench.evals.run(RunSpec(reference=bench.evals.save(short).spec.reference), Job("Evaluate"))
        window.go("evidence")
        settle(window)
        page(window)._turn(view)
        settle(window)
        then(page(window))
        settle(window)

    return show


def redacting(fields: Sequence[str]) -> Callable[[Any], None]:
    def show(evidence: Any) -> None:
        evidence._redact_path(str(files()["whole"]))
        settle(evidence.shell)
        for name in fields:
            evidence.redact.fields.box(name).setChecked(True)
        evidence.redact._typing.stop()
        evidence.redact._work_out()

    return show


def redacting_samples(evidence: Any) -> None:
    redacting(())(evidence)
    evidence.redact.samples.rows.setData(evidence.redact.samples.rows.index(1), 2, 10)
    evidence.redact._typing.stop()
    evidence.redact._work_out()
    for area in evidence.redact.left.findChildren(QScrollArea):
        area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())


def sealed(evidence: Any) -> None:
    form = evidence.shell.overlay.panel
    form.keys.edit.setText(str(files()["keys"]))
    form.passphrase.edit.setText(packs.PASSPHRASE)
    form.act.click()


def sealing(evidence: Any) -> None:
    evidence.verdict.ask("seal")
    evidence.shell.overlay.panel.key.edit.setText(str(files()["public"]))


def comparing(evidence: Any) -> None:
    evidence.verdict.notice.compare.click()
    settle(evidence.shell)
    form = evidence.shell.overlay.panel
    heard = list(packs.stranger())
    heard[21] = "0" if heard[21] != "0" else "1"
    form.comparison.said.edit.setText("".join(heard[:30]))


def asked(nonce: str) -> Callable[[Any], None]:
    def show(evidence: Any) -> None:
        evidence.nonce.setText(nonce)
        evidence._look_for_nonce()

    return show


def scrolled(evidence: Any) -> None:
    for area in evidence.verdict.findChildren(QScrollArea):
        area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())


def marked(window: MainWindow) -> None:
    """What goes into the pack of a run that people marked with words beside their marks."""
    with_judge(with_runs(window))
    window.go("evidence", "run-3")
    settle(window)
    page(window)._turn("make")
    settle(window)
    for area in page(window).make.findChildren(QScrollArea):
        area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())


SCENES: dict[str, Scene] = {
    "evidence-make": inside("make"),
    "evidence-marked": marked,
    "evidence-trust-own": inside("trust"),
    "evidence-nothing": outside(),
    "evidence-valid": outside("trust", "whole"),
    "evidence-flipped": outside("trust", "flipped"),
    "evidence-redacted": outside("trust", "redacted"),
    "evidence-redacted-below": outside("trust", "redacted", then=scrolled),
    "evidence-no-trust": outside("whole"),
    "evidence-stranger": outside("strangers", "whole"),
    "evidence-compare": outside("strangers", "whole", then=comparing),
    "evidence-text": outside("text"),
    "evidence-several": outside("trust", "whole", "flipped", "redacted", "text", "empty", "junk"),
    "evidence-sealed": outside("sealed"),
    "evidence-opened": outside("trust", "sealed", then=sealed),
    "evidence-seal": outside("trust", "whole", then=sealing),
    "evidence-nonce": outside("trust", "asked", then=asked(packs.NONCE)),
    "evidence-other-nonce": outside("trust", "whole", then=asked(packs.NONCE)),
    "evidence-redact-none": outside(then=lambda evidence: evidence._turn("redact")),
    "evidence-redact": outside(then=redacting(("target",))),
    "evidence-redact-all": outside(then=redacting(tuple(FIELDS))),
    "evidence-redact-samples": outside(then=redacting_samples),
    "evidence-trust": outside("trust", then=lambda evidence: evidence._turn("trust")),
    "evidence-trust-none": outside(then=lambda evidence: evidence._turn("trust")),
    "evidence-card": outside("strangers", "card"),
    "evidence-remove": outside(
        "trust", then=lambda evidence: (evidence._turn("trust"), evidence.trusting.remove(evidence.trust.cards[1][0]))
    ),
    "evidence-keys": outside(then=lambda evidence: evidence.trusting.make_keys()),
}
