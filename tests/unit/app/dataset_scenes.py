"""The datasets page in its states, over a real vault, to be looked at: rows of `shots.SCENES`."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from PySide6.QtCore import QCoreApplication

from app.main_window import MainWindow
from app.pages.dataset_forms import SplitForm
from core.datasets.drafting import Drafted
from core.datasets.drafts import Checks, Draft
from core.datasets.drafts import put as put_draft
from core.datasets.records import Origin, Sample, SaveSamples, SplitDataset, Splitting
from core.datasets.screening import Learned
from core.datasets.service import Datasets
from core.guards import personal
from core.jobs import Job
from core.vault.roles import Act
from core.vault.vault import Vault

PASSAGE = (
    "9.5.1 Case intake. The study nurse enters each case on the day on which it becomes known. A serious case is reported to the sponsor within "
    "24 hours of first knowledge, by telephone and in writing. Reports that arrive on a weekend are handled by the duty officer, whose number "
    "is kept at the front desk. The sponsor confirms the receipt within one working day, and the confirmation is filed with the case."
)
TOPICS = ("case intake", "dose changes", "storage", "labels", "archiving", "training of staff", "complaints")


def samples(count: int) -> tuple[Sample, ...]:
    return tuple(
        Sample(
            id=f"pv-{n:05}",
            input=f"Within how many days is question {n} on {TOPICS[n % 7]} answered after it became known to site {n % 90}?",
            target=f"{n % 28 + 1} days",
            document=f"SOP-PV-{n % 20:03} {TOPICS[n % 7].capitalize()}.pdf",
            page=n % 30 + 1,
            quote=f"A question on {TOPICS[n % 7]} is answered within {n % 28 + 1} days.",
            tags=(TOPICS[n % 7],) if n % 4 else (TOPICS[n % 7], "synthetic"),
        )
        for n in range(count)
    )


def put_drafts(vault: Vault, dataset: str) -> None:
    """Three drafts that wait, as a model makes them."""
    for n, (asked, target, quote) in enumerate(
        (
            (
                "Within what time is a serious case reported to the sponsor?",
                "24 hours",
                "A serious case is reported to the sponsor within 24 hours of first knowledge, by telephone and in writing.",
            ),
            (
                "Who handles reports that arrive on a weekend?",
                "the duty officer",
                "Reports that arrive on a weekend are handled by the duty officer",
            ),
            (
                "When does the sponsor confirm the receipt of a report?",
                "within one working day",
                "The sponsor confirms the receipt within one working day",
            ),
        )
    ):
        sample = Sample(
            id=f"doc-{n}",
            input=asked,
            target=target,
            quote=quote,
            document="SOP-PV-014 Case intake.pdf",
            page=4,
            tags=("synthetic",),
            origin=Origin(kind="document", source="d" * 64, model=f"corvid-8b {'c' * 64}", synthetic=True),
        )
        checks = Checks(quoted=True, answered=True, found_at=n + 1)
        with vault.write(Act.DRAFT_SAMPLE, about=dataset) as unit:
            put_draft(unit, Draft(dataset=dataset, sample=sample, passage=PASSAGE, checks=checks), f"p{n}")


def fill(vault: Vault, count: int = 1_200) -> None:
    """A dataset in three versions, split, with drafts that wait."""
    datasets = Datasets(vault)
    if any(one.name == "case-intake" for one in datasets.list()):
        return
    first = samples(count)
    datasets.save(SaveSamples(name="case-intake", samples=first))
    edited = msgspec.structs.replace(datasets.show("case-intake").dataset.samples[3], target="15 calendar days", page=8)
    kept = datasets.show("case-intake").dataset.samples
    more = Sample(id="pv-new", input="Who signs the form of site 7?", target="the head of the site")
    datasets.save(
        SaveSamples(name="case-intake", samples=(*kept[:3], edited, *kept[5:], more), based_on="case-intake@1")
    )
    splitting = Splitting(shares={"train": 0.7, "dev": 0.1, "test": 0.2}, by="document", seed=3)
    datasets.split(SplitDataset(reference="case-intake", splitting=splitting), Job("Split"))
    put_drafts(vault, "case-intake")


def wait(window: MainWindow) -> None:
    for _ in range(800):
        QCoreApplication.processEvents()
        if window.operations.running() == 0:
            break
        time.sleep(0.01)
    for _ in range(6):
        QCoreApplication.processEvents()


def at(then: Callable[[MainWindow], None] = lambda window: None) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        fill(window.operations.workbench.vault)  # type: ignore[union-attr]
        window.go("datasets", "case-intake")
        wait(window)
        then(window)

    return show


def edited(window: MainWindow) -> None:
    page = window.page
    one = page.table.current()  # type: ignore[union-attr]
    page.replace(one.id, msgspec.structs.replace(one, target="30 days", answer="Within 30 days."))  # type: ignore[union-attr]


def saving(window: MainWindow) -> None:
    edited(window)
    window.page.save_button.click()  # type: ignore[union-attr]


def importing(window: MainWindow) -> None:
    path = Path(tempfile.mkdtemp()) / "intake questions.csv"
    rows = [f"Who reports case {n}?;the nurse;{n}" for n in range(40)]
    rows[6], rows[21], rows[30] = "Who signs?;;7", "Where is it kept?;at the desk;five", ";nobody;9"
    path.write_text("Question;Expected;page\n" + "\n".join(rows) + "\n")
    window.page.look_into(str(path))  # type: ignore[union-attr]


def checked(window: MainWindow) -> None:
    datasets = window.operations.workbench.datasets  # type: ignore[union-attr]
    datasets._personal = personal.kinds_in
    shown = datasets.show("case-intake")
    datasets.learned = lambda: (
        Learned(adapter="training-2", digest="a" * 64, datasets=(shown.digest,), files=("talks.json",)),
    )
    few = tuple(msgspec.structs.replace(one, quote="Call +49 30 901820") for one in shown.dataset.samples[:3])
    if all(one.name != "exam" for one in datasets.list()):
        datasets.save(SaveSamples(name="exam", samples=few))
    window.page._name = "exam"  # type: ignore[union-attr]
    wait(window)
    window.go("datasets", "exam")
    wait(window)
    window.page.check_button.click()  # type: ignore[union-attr]


def splitting(window: MainWindow) -> None:
    window.page.split_button.click()  # type: ignore[union-attr]
    assert isinstance(window.overlay.panel, SplitForm)


def review(window: MainWindow) -> None:
    window.page.drafts_button.click()  # type: ignore[union-attr]


def review_edit(window: MainWindow) -> None:
    review(window)
    wait(window)
    window.overlay.panel.edit.click()  # type: ignore[union-attr]


def drafting(window: MainWindow) -> None:
    window.page.draft_button.click()  # type: ignore[union-attr]


def drafting_works(window: MainWindow) -> None:
    """As it stands halfway, and below it what is told when it ended."""
    page = window.page
    panel = page.drafting  # type: ignore[union-attr]
    panel.work.begin("Drafting questions for case-intake", "What is drafted is kept as it comes")
    panel.work.say(7, 20, "questions")
    panel._told.hide()
    panel.show()


def drafted(window: MainWindow) -> None:
    panel = window.page.drafting  # type: ignore[union-attr]
    panel._dataset = "case-intake"
    refused = {"the quote isn't in the passage": 4, "a search with the question doesn't find the passage": 2}
    panel._done(Drafted(dataset="case-intake", made=12, refused=refused))


def flagged(window: MainWindow) -> None:
    checked(window)
    wait(window)
    window.overlay.panel.left.emit()  # type: ignore[union-attr]


SCENES: dict[str, Callable[[MainWindow], None]] = {
    "datasets": at(),
    "datasets-edited": at(edited),
    "datasets-saving": at(saving),
    "datasets-changes": at(lambda window: window.page.changes_button.click()),  # type: ignore[union-attr]
    "datasets-sample": at(lambda window: window.page._edit(window.page.table.current())),  # type: ignore[union-attr]
    "datasets-import": at(importing),
    "datasets-check": at(checked),
    "datasets-split": at(splitting),
    "datasets-flagged": at(flagged),
    "datasets-export": at(lambda window: window.page.export_button.click()),  # type: ignore[union-attr]
    "datasets-drafting": at(drafting),
    "datasets-drafting-works": at(drafting_works),
    "datasets-drafted": at(drafted),
    "datasets-drafts": at(review),
    "datasets-drafts-edit": at(review_edit),
}
