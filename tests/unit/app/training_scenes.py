"""Pictures of the fine-tuning page, for the command of `shots`."""

import contextlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtTest import QTest

from app.bridge import training as bridge
from app.main_window import MainWindow
from core.errors import AssayError
from core.jobs import Job
from core.training.records import GateLine, Judged, Proved, Regressed, Source, TrainSpec
from core.training.worker.records import Problem
from tests.unit.app.training_bench import KILLED, TrainingBench

LACKING = "Training needs torch, transformers, peft, which aren't installed here. Install Assay with its train extra."
SPEC = TrainSpec(
    name="house-style",
    base="corvid-1.5b",
    data=(Source(dataset="house-style"),),
    evaluation=Judged(dataset="house-style-test", form=r"Finding: .+\. \[\d+\]"),
)


def training(
    runs: int, then: Callable[[MainWindow], None] = lambda window: None, lacking: str = ""
) -> Callable[[MainWindow], None]:
    """The page over as many finished runs; the last failed where there are three."""

    def show(window: MainWindow) -> None:
        from tests.unit.app.shots import wait

        bench = TrainingBench(window.operations.workbench.vault, Path(tempfile.mkdtemp()) / "models")  # type: ignore[union-attr]
        bridge.lacking = lambda: lacking
        if "corvid-1.5b" not in [one.name for one in bench._models.list()]:
            bench.with_models()
        else:
            for one in bench._models.list():
                Path(one.path).parent.mkdir(parents=True, exist_ok=True)
                Path(one.path).write_bytes(b"GGUF" + one.name.encode() * 400)
        bench.with_datasets()
        held = len(bench.trainings.list())
        for number in range(held, runs):
            changes: dict[str, Any] = {"learning_rate": 2e-4 * (1 + 3 * number), "rank": 16 if number % 2 else 8}
            bench.worker.fail_at = 44 if number == 2 else 0
            spec = TrainSpec(
                name="house-style", base=SPEC.base, data=SPEC.data, settings=changes, evaluation=SPEC.evaluation
            )
            with contextlib.suppress(AssayError):
                bench.trainings.run(spec, "style", Job("Train"))
        window.operations._workbench = bench  # type: ignore[assignment]
        window.go("training")
        wait(window)
        then(window)

    return show


def new(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    page: Any = window.page
    page.write_new()
    page.form.name.edit.setText("house-style")
    page.form.judged.edit.setCurrentIndex(page.form.judged.edit.findData("house-style-test@1"))
    page.form.data.dataset.edit.setCurrentIndex(page.form.data.dataset.edit.findData("house-style@1"))
    wait(window)


def wrong_base(window: MainWindow) -> None:
    new(window)
    edit: Any = window.page.form.base.edit  # type: ignore[union-attr]
    edit.setCurrentIndex(edit.findData("falcon-7b"))


def looked(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    new(window)
    page: Any = window.page
    page.operations.workbench.worker.wrong = (
        Problem(
            line="house-style@1, S-103",
            problem="it has 2000 tokens, and 1536 fit. Shorten it; nothing is cut silently.",
        ),
        Problem(line="house-style@1, S-117", problem="its answer is empty."),
    )
    page.form.data.look_button.click()
    wait(window)
    bar = page.form.main.verticalScrollBar()
    bar.setValue(page.form.data.y() - 12)


def planned(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    new(window)
    page: Any = window.page
    page.form.plan_button.click()
    wait(window)
    page.form.settings.more.setChecked(True)
    wait(window)
    page.form.main.verticalScrollBar().setValue(page.form.settings.y() - 12)


def full(window: MainWindow) -> None:
    """All weights of a model that is too large: the plan refuses it."""
    from tests.unit.app.shots import wait

    new(window)
    page: Any = window.page
    page.form.judged.edit.setCurrentIndex(0)
    page.form.settings.set("method", "full")
    page.form.plan_button.click()
    wait(window)
    page.form.main.verticalScrollBar().setValue(page.form.settings.y() - 12)


def several(window: MainWindow) -> None:
    """Several values for two settings: a sweep."""
    from tests.unit.app.shots import wait

    new(window)
    page: Any = window.page
    page.form.settings.set("rank", "4, 8, 16")
    page.form.settings.set("learning_rate", "1e-4, 3e-4")
    page.form.plan_button.click()
    wait(window)
    page.form.main.verticalScrollBar().setValue(page.form.settings.y() - 12)


def unfit(window: MainWindow) -> None:
    window.page.operations.workbench.worker.fits = False  # type: ignore[union-attr]
    planned(window)


def running(window: MainWindow) -> None:
    new(window)
    page: Any = window.page
    bench = page.operations.workbench
    bench.worker.gate.clear()
    page.form.data.leave_out.setChecked(True)
    page.form.start_button.click()
    for _ in range(100):
        QTest.qWait(10)
        if page._live and page._live[-1].step >= 30 and not page._draw.isActive():
            break


def proved(window: MainWindow) -> None:
    finished(window)
    rows = tuple(
        Regressed(
            variant="corvid",
            tag=tag,
            scorer=scorer,
            base=0.62,
            adapter=0.62 + value,
            difference=value,
            low=value - 0.08,
            high=value + 0.08,
            p=0.01,
            n=36,
            worse=value < -0.08,
            samples=("S-508", "S-517"),
        )
        for tag, scorer, value in (
            ("", "contains", 0.21),
            ("doses", "contains", 0.3),
            ("intake", "cites", -0.14),
            ("", "cites", 0.02),
        )
    )
    gate = (
        GateLine(line="contains at least 0.75", met=True, reason=""),
        GateLine(line="no regression in cites", met=False, reason="it is worse for intake"),
    )
    made = Proved(
        training="training-2",
        evaluation="run-4",
        spec="safety-answers@2",
        rows=rows,
        gate=gate,
        passed=False,
        finished=True,
    )
    window.page.run_view.proof.show_proof(made)  # type: ignore[union-attr]


def bottom(window: MainWindow) -> None:
    bar = window.page.run_view.main.verticalScrollBar()  # type: ignore[union-attr]
    bar.setValue(bar.maximum())


def recalled(window: MainWindow) -> None:
    """The run's page below its curves, where it planted sentences."""
    from tests.unit.app.shots import wait

    page: Any = window.page
    changes = {"canaries": 3}
    spec = TrainSpec(name="measured", base=SPEC.base, data=SPEC.data, settings=changes)
    bench = page.operations.workbench
    view = bench.trainings.run(spec, "style", Job("Train"))
    page.load()
    wait(window)
    page.show_run(view.run.id)
    wait(window)
    bottom(window)


def paused(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    running(window)
    page: Any = window.page
    page.run_view.pause_button.click()
    wait(window)


def failed(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    window.page.show_run("training-3")  # type: ignore[union-attr]
    wait(window)


def finished(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    window.page.show_run("training-2")  # type: ignore[union-attr]
    wait(window)


def sign(window: MainWindow) -> None:
    finished(window)
    window.page.run_view.sign_button.click()  # type: ignore[union-attr]


def export(window: MainWindow) -> None:
    finished(window)
    window.page.run_view.export_button.click()  # type: ignore[union-attr]


def merge(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    finished(window)
    window.page.run_view.merge_button.click()  # type: ignore[union-attr]
    wait(window)


def importing(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    window.page.importing.click()  # type: ignore[union-attr]
    wait(window)


def examined(window: MainWindow) -> None:
    """A file with personal data and contradictions, looked through."""
    from tests.unit.app.shots import wait

    new(window)
    page: Any = window.page
    path = Path(tempfile.mkdtemp()) / "answers.jsonl"
    rows = [
        ("Who keeps it?", "Write to ada@example.org."),
        ("Where is it?", "In the hall."),
        ("Where is it?", "Upstairs."),
    ]
    path.write_text("\n".join(json.dumps({"instruction": asked, "output": told}) for asked, told in rows))
    page.form.data.take_file(str(path))
    page.form.data.examine_button.click()
    wait(window)
    page.form.main.verticalScrollBar().setValue(page.form.data.y() - 12)


def again(window: MainWindow) -> None:
    """A run whose evaluation failed."""
    from tests.unit.app.shots import wait

    page: Any = window.page
    bench = page.operations.workbench

    def fails(*given: Any) -> Any:
        raise KILLED

    bench.trainings._compare = fails
    with contextlib.suppress(AssayError):
        bench.trainings.run(SPEC, "style", Job("Train"))
    del bench.trainings._compare
    page.load()
    wait(window)
    page.show_run(bench.trainings.show("latest").run.id)
    wait(window)


def swept(window: MainWindow) -> None:
    """A sweep whose runs have ended, one of them failed."""
    from tests.unit.app.shots import wait

    page: Any = window.page
    bench = page.operations.workbench
    bench.worker.fail_at = 44
    settings = {"rank": [4, 8], "learning_rate": [1e-4, 3e-4, 5e-4]}
    spec = TrainSpec(name="rates", base=SPEC.base, data=SPEC.data, settings=settings, evaluation=SPEC.evaluation)
    bench.sweeps.start(spec, "style", Job("Train"))
    page.load()
    wait(window)
    page._turn("sweeps")


def sweeping(window: MainWindow) -> None:
    """A sweep whose first run goes on."""
    several(window)
    page: Any = window.page
    page.operations.workbench.worker.gate.clear()
    page.form.start_button.click()
    for _ in range(100):
        QTest.qWait(10)
        if page._live and page._live[-1].step >= 30 and not page._draw.isActive():
            break
    page._turn("sweeps")


def history(window: MainWindow) -> None:
    page: Any = window.page
    page._turn("history")


SCENES: dict[str, Callable[[MainWindow], None]] = {
    "training-none": training(0),
    "training-new": training(0, new),
    "training-lacking": training(0, new, LACKING),
    "training-base": training(0, wrong_base),
    "training-looked": training(0, looked),
    "training-planned": training(0, planned),
    "training-full": training(0, full),
    "training-several": training(0, several),
    "training-unfit": training(0, unfit),
    "training-finished": training(3, finished),
    "training-proved": training(3, proved),
    "training-curves": training(3, lambda window: (finished(window), bottom(window))),  # type: ignore[arg-type,return-value]
    "training-recalled": training(1, recalled),
    "training-paused": training(0, paused),
    "training-failed": training(3, failed),
    "training-sign": training(3, sign),
    "training-export": training(3, export),
    "training-merge": training(3, merge),
    "training-import": training(3, importing),
    "training-examined": training(0, examined),
    "training-again": training(1, again),
    "training-swept": training(1, swept),
    "training-sweeping": training(1, sweeping),
    "training-history": training(3, history),
    "training-running": training(3, running),
}
