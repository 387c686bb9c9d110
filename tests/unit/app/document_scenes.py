"""Pictures of the documents page, for the command of `shots`: screening, importing, search quality."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from app.main_window import MainWindow
from core.documents.filtering import Filters
from core.documents.rebuilding import Rebuild
from core.documents.records import AddDocuments, Refusal
from core.documents.refreshing import Changes
from core.documents.screening.records import Rescreened
from core.documents.watched import Seen
from core.evals.search_quality import Comparison, Estimate, Measured, Missed, Quality
from core.jobs import Job
from core.retrieval.records import Finding
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.conftest import PASSPHRASES, weak_kdf
from tests.unit.app.screened import screen
from tests.unit.app.standin import StandIn


def documents(then: Callable[[MainWindow], None], waiting: bool = True) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        from tests.unit.app.shots import wait

        folder = Path(tempfile.mkdtemp())
        bench = StandIn(folder / "Drug safety.assay")
        bench.vault.folder.mkdir(parents=True)
        names = ("SOP-PV-014 Case intake and reporting.pdf", "costs.csv", "notes.txt")
        bench.documents.add(AddDocuments(collection="safety", paths=names), Job("Add"))
        if waiting:
            kept = Vault.create(folder / "Kept.assay", "ines", "Ines Korhan", PASSPHRASES["ines"], SCHEMA, kdf=weak_kdf)
            screen(bench, kept)
        window.operations._workbench = bench  # type: ignore[assignment]
        window.go("documents")
        wait(window)
        then(window)

    return show


def refused(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    window.page.folders.added.emit("/home/ines/Case files/2026")  # type: ignore[union-attr]
    wait(window)
    paths = ["/in/SOP-PV-015.pdf", "/in/broken scan 0417.pdf", "/in/locked contract.docx"]
    window.page.add(paths, "safety")  # type: ignore[union-attr]
    wait(window)


FOLDERS = ("/home/ines/Case files/2026", "/media/team/Standard operating procedures and forms")


def watched(waiting: int = 0, problem: str = "", may: bool = True, gone: int = 0) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        from tests.unit.app.shots import wait

        bench = window.operations.workbench
        bench.refreshing.follow("safety", FOLDERS)  # type: ignore[union-attr]
        bench.watched.begin("safety")  # type: ignore[union-attr]
        bench.watched.may = may  # type: ignore[union-attr]
        now = datetime.now(UTC).isoformat()
        bench.watched.changes["safety"] = Changes(time=now, new=2, changed=1, renamed=1, gone=gone)  # type: ignore[union-attr]
        bench.watched.seen["safety"] = Seen(collection="safety", time=now, waiting=waiting, problem=problem)  # type: ignore[union-attr]
        held = list(bench.documents.held["safety"].items())  # type: ignore[union-attr]
        bench.documents.taken_out = [(digest, document, now) for digest, document in held[:gone]]  # type: ignore[union-attr]
        window.folder_watch.look()
        wait(window)
        window.page.opened()  # type: ignore[union-attr]
        wait(window)

    return show


def old(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    window.operations.workbench.documents.older = 2  # type: ignore[union-attr]
    window.page.opened()  # type: ignore[union-attr]
    wait(window)


def outdated(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    bench = window.operations.workbench
    bench.documents.problem = (  # type: ignore[union-attr]
        "safety: its vectors were computed by llama.cpp, and onnx would compute others; they can't be compared."
    )
    window.page.opened()  # type: ignore[union-attr]
    wait(window)


def anew(window: MainWindow) -> None:
    window.page.making.anew.click()  # type: ignore[union-attr]


def made_anew(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    bench = window.operations.workbench
    bench.documents.gate.clear()  # type: ignore[union-attr]
    window.page.making.rebuild.emit(Rebuild(collection="safety", embedder="other-embed"))  # type: ignore[union-attr]
    window.page.work.say(17, 142, "documents", "about 3 min left")  # type: ignore[union-attr]
    wait(window)
    bench.documents.gate.set()  # type: ignore[union-attr]


def gone_listed(window: MainWindow) -> None:
    watched(gone=2)(window)
    window.page.folders.gone.click()  # type: ignore[union-attr]


def refused_listed(window: MainWindow) -> None:
    refused(window)
    window.page.banner.act.click()  # type: ignore[union-attr]


def screening(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    window.page.screening.open()  # type: ignore[union-attr]
    wait(window)


def screening_decided(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    screening(window)
    view = window.page.screening.view  # type: ignore[union-attr]
    view.table.choose(0)
    view._decide("redact", False)
    wait(window)
    view._decide("exclude", False)
    wait(window)


def screening_form(window: MainWindow) -> None:
    window.page.screening.change.click()  # type: ignore[union-attr]


def chat(then: Callable[[MainWindow], None]) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        from tests.unit.app.shots import wait

        window.go("chat")
        wait(window)
        page = window.page
        filters = Filters(types=("pdf",), since="2026-01-31")
        page.box.finding.take(Finding(filters=filters, mmr=0.7), "decline")  # type: ignore[union-attr]
        then(window)
        wait(window)

    return documents(show, waiting=False)


def limits(window: MainWindow) -> None:
    window.page.box.finding.click()  # type: ignore[union-attr]


def assistants(window: MainWindow) -> None:
    window.page.assistants.click()  # type: ignore[union-attr]


def limited(window: MainWindow) -> None:
    window.page.composer.setPlainText("What is day 0?")  # type: ignore[union-attr]
    window.page.ask()  # type: ignore[union-attr]


def quality(window: MainWindow) -> None:
    from app.pages.search_quality import QualityResult

    names = {"ndcg@10": 0.6312, "recall@10": 0.7104, "mrr": 0.5921}
    figures = {name: Estimate(value=value, low=value - 0.07, high=value + 0.06) for name, value in names.items()}
    each = tuple(
        Missed(query=f"q{number}", ndcg=0.1 * number, relevant=4, found=min(number, 4), missed=("SOP-PV-014", "notes"))
        for number in range(1, 9)
    )
    ways = tuple(Quality(way=way, queries=93, measures=figures, each=each) for way in ("meaning", "words", "fused"))
    gap = Estimate(value=0.021, low=-0.004, high=0.047)
    compared = (Comparison(way="fused", other="words", difference=gap, p=0.11),)
    found = Measured(ways=ways, comparisons=compared, unjudged=2, absent=("old.pdf",))
    window.open_dialog(QualityResult("safety", found), 760)


def cutting(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    window.page._collection = ""  # type: ignore[union-attr]
    window.page.add(["/in/SOP-PV-015.pdf", "/in/SOP-PV-016.pdf", "/in/locked contract.docx"])  # type: ignore[union-attr]
    wait(window)


FIRST = (
    "4 Reporting",
    "The investigator reports every serious adverse event to the sponsor within 24 hours of becoming aware of it.",
    "Day 0 is the day on which anyone at the sponsor receives the four minimum criteria.",
    "The paper form is sent by fax to the number on the last page.",
    "Records are kept for two years after the end of the study.",
)
SECOND = (
    "4 Reporting",
    "The investigator reports every serious adverse event to the sponsor within 72 hours of becoming aware of it, in the portal.",
    "Records are kept for fifteen years after the end of the study.",
    "Day 0 is the day on which anyone at the sponsor receives the four minimum criteria.",
    "Whoever enters a case is not the one who closes it.",
)


def compare_form(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    window.page.table.choose(0)  # type: ignore[union-attr]
    window.page.compare_button.click()  # type: ignore[union-attr]
    wait(window)


def compared(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    compare_form(window)
    choice = window.overlay.panel.choice  # type: ignore[union-attr]
    bench = window.operations.workbench
    bench.comparing.pieces[choice.digest] = FIRST  # type: ignore[union-attr]
    current = next(iter(bench.documents.held["safety"]))  # type: ignore[union-attr]
    bench.comparing.pieces[current] = SECOND  # type: ignore[union-attr]
    window.overlay.panel.act.click()  # type: ignore[union-attr]
    wait(window)


def calibration(window: MainWindow) -> None:
    from app.pages.quotes_calibration import show_calibration
    from tests.unit.app.shots import wait

    show_calibration(window)
    wait(window)


def screening_again(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    bench = window.operations.workbench
    refused = (Refusal(file="scan.pdf", reason="scan.pdf: it needs Tesseract. Install it, and try again."),)
    names = ("letters/tower 04.md", "minutes of june.md")
    found = Rescreened(collection="safety", clean=41, waiting=names, held=(), refused=refused)
    bench.screening.again = lambda collection, job: found  # type: ignore[union-attr]
    window.page.screening.again.click()  # type: ignore[union-attr]
    window.overlay.panel.act.click()  # type: ignore[union-attr]
    wait(window)


SCENES: dict[str, Callable[[MainWindow], None]] = {
    "documents-waiting": documents(lambda window: None),
    "documents-plain": documents(lambda window: None, waiting=False),
    "documents-refused": documents(refused, waiting=False),
    "documents-refused-listed": documents(refused_listed, waiting=False),
    "documents-watched": documents(watched(gone=2), waiting=False),
    "documents-watched-waiting": documents(watched(waiting=3), waiting=False),
    "documents-watched-problem": documents(
        watched(problem=f"The folder {FOLDERS[1]} isn't there. Connect its disk."), waiting=False
    ),
    "documents-older": documents(old, waiting=False),
    "documents-outdated": documents(outdated, waiting=False),
    "documents-anew": documents(anew, waiting=False),
    "documents-made-anew": documents(made_anew, waiting=False),
    "documents-gone": documents(gone_listed, waiting=False),
    "documents-compare": documents(compare_form, waiting=False),
    "documents-compared": documents(compared, waiting=False),
    "documents-cutting": documents(cutting, waiting=False),
    "quotes-calibration": documents(calibration, waiting=False),
    "search-quality": documents(quality, waiting=False),
    "screening": documents(screening),
    "screening-decided": documents(screening_decided),
    "chat-limits": chat(limits),
    "chat-limited": chat(limited),
    "chat-assistants": chat(assistants),
    "screening-again": documents(screening_again),
    "screening-again-asked": documents(lambda window: window.page.screening.again.click()),  # type: ignore[union-attr]
    "screening-form": documents(screening_form),
}
