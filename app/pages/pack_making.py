"""Making a pack: choose a run, see what goes in and what stays, sign it as released, and write one file.

What goes in is said from the vault's records before anything is written; the core judges the pack again before it leaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from app.pages.evaluation_content import RunContent, read_run
from app.pages.evaluation_matrix import (
    criterion_words,
    short_names,
    signed_before,
    status_cell,
    status_words,
    title,
)
from app.pages.pack_words import sentence
from app.pages.page import Shell, list_pane, scrolled
from app.pages.prompt_versions import signed_words
from app.pages.signatures import SAYS, WORDS, ask_and_sign, moment
from app.theme.look import look
from app.widgets.basic import Card, IconLabel, SearchField, clear, column, frame, label, line, row
from app.widgets.buttons import button
from app.widgets.forms import Check, Choice, Field, line_edit
from app.widgets.giving_way import give_way
from app.widgets.signing import Meaning, Signed, ToSign
from app.widgets.table import Cell, Column, Table
from core.evals import marks
from core.evals.records import Run, RunView
from core.evidence import contents
from core.evidence.records import ExportPack, PackInfo
from core.evidence.service import LONGEST_NONCE
from core.jobs import Job
from core.prompts.records import PromptState
from core.records import Digest
from core.vault.records import User
from core.vault.roles import Act, allowed
from core.vault.signing import Signer

if TYPE_CHECKING:
    from core.workbench import Workbench

USES = {contents.READ: "book", contents.MACHINE: "processor", contents.CHECK: "fingerprint"}
WITHHELD = "What people wrote beside their marks is withheld. The marks themselves are in the pack."
STAYS = "The documents themselves, other runs, chats and people’s passphrases stay in the vault."


@dataclass(frozen=True)
class PackContents:
    """What a run's pack will hold, in words: (icon, name, detail, how many)."""

    content: RunContent
    rows: tuple[tuple[str, str, str, str], ...]
    text: str
    """The same as text, which is what the person signs in front of."""
    marks: int = 0
    reasons: int = 0
    """Marks that people gave the answers, and those beside which they wrote why."""


def read_contents(bench: "Workbench", run: str) -> PackContents:
    """What goes into the pack of a run. Raises `NotFound`."""
    content = read_run(bench, run)
    references = dict.fromkeys(variant.prompt for variant in content.run.variants if variant.prompt)
    prompts = [bench.prompts.show(reference) for reference in references]
    people = {person.user: person.name for person in bench.vault.users()}
    with bench.vault.read() as reader:
        given = marks.marks(reader, content.view.digest)
    rows = _rows(content, prompts, people, given)
    return PackContents(content, rows, _text(content, rows), len(given), sum(bool(one.reason) for one in given))


def _rows(
    content: RunContent, prompts: Sequence[PromptState], people: Mapping[str, str], given: Sequence[marks.Mark]
) -> tuple[tuple[str, str, str, str], ...]:
    run, result = content.run, content.view.result
    errors = sum(bool(outcome.error) for outcome in content.every())
    cited = {c.document for o in content.every() if o.answer is not None for c in o.answer.citations}
    judged = [
        f"{criterion_words(one, short_names(run.variants))[0].replace(chr(10), ', ')}: {'met' if one.met else 'not met'}"
        for one in (result.criteria if result is not None else ())
    ]
    before = signed_before(content)
    when = "signed before the run" if before else "not signed before the run"
    signed = sum(len(state.signed) for state in prompts) + len(content.signatures)
    models = dict.fromkeys((v.model, v.model_digest) for v in run.variants if v.model_digest)
    return (
        (
            "evaluations",
            "Run",
            f"{title(content.view)}, {content.view.status}, by {people.get(run.user, run.user)}",
            "",
        ),
        ("file", "Criteria", f"{'; '.join(judged) or 'None'} ({when})", str(len(run.criteria))),
        ("datasets", "Samples", f"{run.dataset_reference}, each question with what was wanted", f"{run.samples:,}"),
        (
            "chat",
            "Answers",
            f"With their scores and cited passages{f'; {errors} errors' if errors else ''}",
            f"{len(content.every()):,}",
        ),
        *_marks(given, people),
        (
            "prompts",
            "Prompt versions",
            "; ".join(
                f"{state.prompt.reference}, {signed_words([meaning for meaning, _ in state.signed]).lower()}"
                for state in prompts
            )
            or "None: the answers are the documents’ own sentences",
            str(len(prompts)),
        ),
        (
            "models",
            "Models",
            "; ".join(f"{name}, {digest[:8]}…" for name, digest in models) or "None",
            str(len(models)),
        ),
        *_adapters(run),
        (
            "documents",
            "Documents",
            f"Names and digests of all, and the passages cited from {len(cited)} of them",
            f"{len(run.documents):,}",
        ),
        ("stamp", "Signatures", "With the cards of everybody who signed, and yours as released", str(signed + 1)),
        ("history", "History", "The log’s checkpoint, and the proof that each record stands in it", ""),
        *((USES.get(use, "pack"), use, sentence(what), "") for use, what in contents.uses().items()),
    )


def _adapters(run: Run) -> tuple[tuple[str, str, str, str], ...]:
    """The row on the adapters that a run used; none where it used none."""
    used = dict.fromkeys(use.model for v in run.variants if v.settings is not None for use in v.settings.adapters)
    if not used:
        return ()
    said = "With the trainings that they came from here, and the datasets that they learned from"
    return (("models", "Adapters", f"{said}: {', '.join(f'{digest[:8]}…' for digest in used)}", str(len(used))),)


def _marks(given: Sequence[marks.Mark], people: Mapping[str, str]) -> tuple[tuple[str, str, str, str], ...]:
    """The row on what people said of the answers; none where nobody did."""
    if not given:
        return ()
    by = ", ".join(dict.fromkeys(people.get(one.user, one.user) for one in given))
    return (("check", "People’s marks", f"By {by}, with how far judges agree with them", f"{len(given):,}"),)


def text_of(contents: PackContents, nonce: str, withheld: bool = False) -> str:
    """What the person signs in front of, with what an auditor asked to find in it, and whether reasons of marks are withheld."""
    said = [contents.text]
    if withheld:
        said.append(WITHHELD)
    if nonce:
        said.append(f"Nonce that an auditor asked for: {nonce}")
    return "\n\n".join(said)


def fits(view: RunView, wanted: str, ending: str) -> bool:
    """Whether a run is among those that are looked for: every word in its name, dataset, prompts or models, and how it ended."""
    if ending and status_words(view) != ending:
        return False
    run = view.run
    said = [run.id, run.spec_reference, run.dataset_reference, title(view), moment(run.started), run.user]
    said += [f"{variant.name} {variant.prompt} {variant.model}" for variant in run.variants]
    hay = " ".join(said).casefold()
    return all(word in hay for word in wanted.casefold().split())


def _text(content: RunContent, rows: Sequence[tuple[str, str, str, str]]) -> str:
    run = content.run
    lines = [f"Release of {run.spec_reference}, {run.id}", ""]
    lines += [f"{name}{f' ({count})' if count else ''}: {detail}" for _, name, detail, count in rows]
    lines += [
        "",
        f"Run         sha256 {content.view.digest}",
        f"Result      sha256 {content.view.result_digest}",
        f"Spec        sha256 {run.spec}",
        f"Dataset     sha256 {run.dataset}",
        "",
        "The signature covers the pack’s manifest, which names every file in it by its SHA-256.",
        STAYS,
    ]
    return "\n".join(lines)


class MakePackView(QWidget):
    """`made` gives the path of a pack that was written, `check_asked` one to check, `seal_asked` and `redact_asked` one to seal or to withhold
    parts of, `trust_asked` that a trust file is wanted."""

    made = Signal(str)
    check_asked = Signal(str)
    seal_asked = Signal(str)
    redact_asked = Signal(str)
    trust_asked = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self.contents: PackContents | None = None
        self._asked = 0
        self.runs = Table(
            (
                Column("Run", lambda view: Cell(title(view), strong=True, second=_second(view))),
                Column("", status_cell, 106),
            ),
            "Runs",
            height=52,
        )
        self.runs.horizontalHeader().hide()
        self.runs.setProperty("surface", "window")
        self.runs.chosen.connect(lambda view: self.show_run(view.run.id))
        heading = label("Choose a run", strong=True)
        heading.setContentsMargins(look().px(8), 0, 0, look().px(4))
        self.find = SearchField("Find a run, a prompt, a model")
        self.find.textChanged.connect(lambda _: self._narrow())
        self.ending = Choice()
        self.ending.setAccessibleName("How it ended")
        self.ending.addItem("All", "")
        self.ending.activated.connect(lambda _: self._narrow())
        self.ending.setFixedWidth(look().px(124))
        filters = QWidget()
        narrow = row(self.find, self.ending, space=6)
        narrow.setStretch(0, 1)
        filters.setLayout(narrow)
        self._found = label("", type="small", tone="secondary")
        self._found.setContentsMargins(look().px(8), 0, 0, 0)
        self._all: tuple[RunView, ...] = ()
        self.left = list_pane(heading, filters, self._found, self.runs, width=372)
        self.left.layout().setStretch(3, 1)
        self._title = label("", type="heading", wrap=True)
        self._rows = column(space=12)
        self.note = label(STAYS, type="small", tone="secondary", wrap=True)
        inner = column(
            self._title, label("What goes into the pack", tone="secondary"), space=4, margins=(24, 20, 24, 20)
        )
        inner.addSpacing(look().px(8))
        inner.addLayout(self._rows)
        inner.addSpacing(look().px(8))
        inner.addWidget(line())
        inner.addWidget(self.note)
        self.nonce = Field(
            "Nonce of an auditor",
            line_edit("Only where an auditor gave you one"),
            "A word or number that they made up. It is signed with the release, so that they know the pack was made for them.",
            _nonce_problem,
        )
        self.withhold = Check("Withhold what people wrote beside their marks")
        self._withhold_words = label("", type="small", tone="secondary", wrap=True)
        self._withholding = QWidget()
        self._withholding.setLayout(column(self.withhold, self._withhold_words, space=2, margins=(0, 0, 0, 8)))
        self._withholding.hide()
        inner.addSpacing(look().px(4))
        inner.addWidget(self._withholding)
        inner.addWidget(self.nonce)
        self.result = _WrittenCard()
        self.result.check.clicked.connect(lambda: self.check_asked.emit(self.result.path))
        self.result.seal.clicked.connect(lambda: self.seal_asked.emit(self.result.path))
        self.result.redact.clicked.connect(lambda: self.redact_asked.emit(self.result.path))
        self.result.trust.clicked.connect(self.trust_asked)
        self.result.hide()
        inner.addWidget(self.result)
        inner.addStretch(1)
        inside = QWidget()
        inside.setMaximumWidth(look().px(760))
        inside.setLayout(inner)
        holder = QWidget()
        holder.setLayout(row(inside, space=0))
        holder.layout().setStretch(0, 1)
        holder.layout().addStretch(0)
        self.export = button("Sign as released and export…", "stamp", "primary")
        self.export.clicked.connect(self.choose_place)
        foot = frame("panel")
        foot.setLayout(row(None, self.export, margins=(24, 12, 24, 12)))
        self.main = frame("panel")
        layout = column(scrolled(holder), line(), foot, space=0)
        layout.setStretch(0, 1)
        self.main.setLayout(layout)
        whole = row(self.left, line(vertical=True), self.main, space=0)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        self.setAccessibleName("Make a pack")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        give_way(self.left, self.width(), 372, 264)

    def show_runs(self, views: Sequence[RunView], wanted: str = "") -> None:
        """Offer the runs that have a result; `wanted` is gone to."""
        self._all = tuple(view for view in views if view.result is not None)
        chosen = self.ending.currentData()
        self.ending.clear()
        self.ending.addItem("All", "")
        for words in sorted({status_words(view) for view in self._all}):
            self.ending.addItem(words, words)
        self.ending.setCurrentIndex(max(0, self.ending.findData(chosen)))
        if wanted:
            self.find.clear()
            self.ending.setCurrentIndex(0)
        self._narrow(wanted)

    def _narrow(self, wanted: str = "") -> None:
        """Show the runs that are looked for; the chosen one stays chosen where it is among them."""
        fitting = [view for view in self._all if fits(view, self.find.text(), str(self.ending.currentData() or ""))]
        some = len(fitting) != len(self._all)
        self._found.setText(f"{len(fitting):,} of {len(self._all):,} runs" if some else f"{len(self._all):,} runs")
        self.runs.show_rows(fitting, keep=lambda view: view.run.id)
        ids = [view.run.id for view in fitting]
        if wanted in ids:
            self.runs.choose(ids.index(wanted))
        elif fitting and self.runs.current() is None:
            self.runs.choose(0)
        elif not fitting:
            self._show_none()

    def show_run(self, run: str) -> None:
        """Show what goes into a run's pack."""
        self._asked += 1
        asked = self._asked

        def done(contents: PackContents) -> None:
            if asked == self._asked:
                self._show(contents)

        self._shell.operations.run("Read a run", lambda bench, job: read_contents(bench, run), done)

    def _show(self, contents: PackContents) -> None:
        if self.contents is None or self.contents.content.run.id != contents.content.run.id:
            self.withhold.setChecked(False)
        self.contents = contents
        self.result.hide()
        self._withholding.setVisible(bool(contents.reasons))
        few = (
            "one of the marks has"
            if contents.reasons == 1
            else f"{contents.reasons:,} of the {contents.marks:,} marks have"
        )
        self._withhold_words.setText(
            f"Here {few} words beside them. The marks stay, and the figures can be worked out again."
        )
        self._title.setText(title(contents.content.view))
        clear(self._rows)
        for icon_name, name, detail, count in contents.rows:
            self._rows.addWidget(_content_row(icon_name, name, detail, count))
        roles = self._person().roles
        self.export.refuse("" if allowed(Act.EXPORT_PACK, roles) else "Your roles here don’t allow exporting.")

    def _show_none(self) -> None:
        """No run fits what is looked for: none is chosen."""
        self._asked += 1
        self.contents = None
        self._withholding.hide()
        self._title.setText("No run fits what you look for")
        clear(self._rows)
        self.result.hide()
        self.export.refuse("Choose a run first.")

    def _person(self) -> User:
        workbench = self._shell.operations.workbench
        assert workbench is not None
        return workbench.vault.user

    def choose_place(self) -> None:
        """Ask where the pack shall be written, then for the signature."""
        if self.contents is None:
            return
        if not self.nonce.good():
            self.nonce.edit.setFocus()
            return
        run = self.contents.content.run
        proposed = f"{run.spec_reference.replace('@', '-')}-{run.id}.pack"
        path, _ = QFileDialog.getSaveFileName(self, "Export a pack", proposed, "Packs (*.pack)")
        if path:
            self.ask_signature(path if Path(path).suffix else f"{path}.pack")

    def ask_signature(self, path: str) -> None:
        """Ask for the release's signature; then write the pack to `path`."""
        contents = self.contents
        if contents is None:
            return
        person, view, nonce = self._person(), contents.content.view, self.nonce.text.strip()
        withheld = bool(contents.reasons) and self.withhold.isChecked()
        what = ToSign(
            title=f"Release {title(view)}",
            text=text_of(contents, nonce, withheld),
            digest=Digest(view.result_digest),
            meanings=(Meaning("released", WORDS["released"], SAYS["released"]),),
            user=person.user,
            printed=f"{person.name}, {', '.join(person.roles)}",
            after=f"Written to {Path(path).name}.",
            note="Whoever has the pack and your trust file can check it, without this vault.",
        )

        def work(bench: "Workbench", job: Job, signer: Signer, entered: Signed) -> PackInfo:
            request = ExportPack(run=view.run.id, out=path, reason=entered.reason, nonce=nonce, reasons=not withheld)
            return bench.evidence.export(request, signer, job)

        def done(info: PackInfo) -> None:
            self.nonce.edit.clear()
            self.result.show_pack(info)
            self._shell.toast(f"Wrote {Path(info.path).name}.")
            self.made.emit(info.path)

        ask_and_sign(self._shell, what, work, done, shown=True)


def _nonce_problem(text: str) -> str:
    nonce = text.strip()
    if len(nonce) > LONGEST_NONCE:
        return f"Use at most {LONGEST_NONCE} characters."
    return "" if nonce.isprintable() else "Use only characters that can be seen."


class _WrittenCard(Card):
    """A pack that was written, with what to do next."""

    def __init__(self) -> None:
        super().__init__("The pack is written")
        self.path = ""
        self._facts = label("", wrap=True)
        self._digest = label("", type="code", tone="secondary", wrap=True)
        for widget in (self._facts, self._digest):
            widget.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.check = button("Check it", "check", small=True)
        self.seal = button("Seal it to an auditor…", "lock", small=True)
        self.redact = button("Redact it…", "hidden", small=True)
        self.trust = button("Export the trust file…", "fingerprint", small=True)
        advice = label(
            "Give the trust file to whoever will check it by another way than the pack.",
            type="small",
            tone="secondary",
            wrap=True,
        )
        for widget in (self._facts, self._digest):
            self.body.addWidget(widget)
        self.body.addLayout(row(self.check, self.seal, self.redact, None))
        self.body.addLayout(row(self.trust, None))
        self.body.addWidget(advice)

    def show_pack(self, info: PackInfo) -> None:
        self.path = info.path
        self._facts.setText(f"{info.path}, {info.size / 1000:,.0f} kB")
        self._digest.setText(f"sha256 {info.sha256}")
        self.show()


def _content_row(icon_name: str, name: str, detail: str, count: str) -> QWidget:
    sign = IconLabel(icon_name, "text.secondary", 18)
    head = row(label(name, strong=True), None, label(count, tone="secondary"))
    words = column(space=1)
    words.addLayout(head)
    words.addWidget(label(detail, tone="secondary", wrap=True))
    layout = row(sign, space=12)
    layout.setAlignment(sign, Qt.AlignmentFlag.AlignTop)
    layout.addLayout(words, 1)
    made = QWidget()
    made.setLayout(layout)
    made.setAccessibleName(f"{name}: {detail} {count}".strip())
    return made


def _second(view: RunView) -> str:
    return f"{moment(view.run.started)}, {view.run.samples:,} samples"
