"""How a collection is made: cut how, embedded with what; making it anew with something else, and reading again what an older version read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.pages.page import Shell
from app.pages.screening_form import chosen, value
from app.pages.search_quality import ask_quality
from app.widgets.act_form import ActForm
from app.widgets.basic import Card, IconLabel, clear, label, row
from app.widgets.buttons import Button
from app.widgets.forms import Field, line_edit
from core.documents import readers
from core.documents.cutting import STRATEGIES
from core.documents.rebuilding import Plan, Rebuild
from core.documents.records import Chunking, Collection

if TYPE_CHECKING:
    from core.jobs import Job
    from core.workbench import Workbench

STRATEGY_WORDS = {"structure": "By structure, then size", "size": "By size alone"}
CONSEQUENCES = (
    "It is searched as before until all is ready, and documents are read from the vault: their files needn’t be there.",
    "Vectors are computed again only where they change.",
    "Answers keep the versions that they cite.",
    "It can be stopped, and goes on where it was.",
)


@dataclass(frozen=True)
class Making:
    """What is known of how a collection is made, beside what it says itself."""

    embedders: tuple[str, ...] = ()
    begun: Plan | None = None
    """What a rebuild that isn't finished makes it anew with."""
    outdated: str = ""
    """Why it can't be used as it was made, in a sentence."""


def in_the_window(sentence: str) -> str:
    """What is said of a collection that can't be used as it was made, with the window's way out in place of the command."""
    said, command, _ = sentence.partition(" `assay documents rebuild ")
    return f"{said} The page Documents makes it anew." if command else sentence


def making(bench: "Workbench", job: "Job", collection: str) -> Making:
    """Read it."""
    names = tuple(sorted(model.name for model in bench.models.list() if model.purpose == "embed"))
    why = bench.documents.outdated(collection, job)
    why = why.partition(" `assay ")[0].removeprefix(f"{collection}: ")
    return Making(names, bench.rebuilding.pending(collection), why)


class MakingCard(Card):
    """`rebuild` gives what shall be made anew, `given_up` that a rebuild that was begun shall be dropped."""

    rebuild = Signal(object)
    given_up = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__("How it is cut")
        self._shell = shell
        self._refusal = ""
        self._found: Collection | None = None
        self._making = Making()
        self.anew = Button("Make it anew", "again", "quiet")
        self.again = Button("Read again", "again")
        self.go_on = Button("Go on", "play")
        self.give_up = Button("Give it up", kind="quiet")
        self.measure = Button("Measure the search", kind="link")
        self._buttons = (self.go_on, self.give_up, self.again, self.anew, self.measure)
        self.measure.clicked.connect(lambda: self._found and ask_quality(shell, self._found.name))
        self.anew.clicked.connect(self._ask)
        self.again.clicked.connect(lambda: self._begin(older=True))
        self.go_on.clicked.connect(self._go_on)
        self.give_up.clicked.connect(self.given_up)
        self._acts = QWidget(self)
        self._acts.hide()
        for act in self._buttons:
            act.setParent(self._acts)

    def show_collection(self, found: Collection | None) -> None:
        """Say how another collection is made, or the same one again."""
        self._found, self._making = found, Making()
        self.setVisible(found is not None)
        if found is None:
            return
        self._say(found)
        name = found.name

        def show(known: Making) -> None:
            if self._found is not None and self._found.name == name:
                self._making = known
                self._say(self._found)

        self._shell.operations.run(
            "Read how it is made", lambda bench, job: making(bench, job, name), show, lambda _: None
        )

    def refuse(self, reason: str) -> None:
        """Why nothing can be done now; empty where it can."""
        self._refusal = reason
        for act in (self.anew, self.again, self.go_on, self.give_up):
            act.refuse(reason)

    def _say(self, found: Collection) -> None:
        held = next((act for act in self._buttons if act.hasFocus()), None)
        clear(self.body, self._buttons)
        for act in self._buttons:
            act.setParent(self._acts)
        self.body.addWidget(label("How it is cut", type="heading"))
        first = "Heading, then " if found.chunking.strategy == "structure" else "Size alone, "
        self.fact("By", f"{first}{found.chunking.target} tokens", tone="primary")
        self.fact("Overlap", f"{found.chunking.overlap} tokens at most", tone="primary")
        self.fact("Embedder", found.embedder_name, tone="primary")
        begun = self._making.begun
        if self._making.outdated:
            self._warning(f"It can’t be asked or added to as it was made: {self._making.outdated} Make it anew.")
        if begun is not None:
            what = "Reading again" if begun.older else f"Making it anew with {begun.embedder_name}"
            self._sentence(f"{what} was begun and isn’t finished. Until then it is searched as before.")
            self._row(self.go_on, self.give_up)
        elif found.older and not self._making.outdated:
            self._sentence(readers.said(found))
            self._row(self.again)
        self.anew.become("normal" if self._making.outdated and begun is None else "quiet")
        self._row(self.anew)
        self._row(self.measure)
        self.refuse(self._refusal)
        if held is not None and held.parent() is not self._acts:
            held.setFocus()

    def _sentence(self, words: str) -> None:
        self.body.addWidget(label(words, type="small", tone="secondary", wrap=True))

    def _warning(self, words: str) -> None:
        sign = IconLabel("alert", "warn.fg")
        said = row(sign, space=6)
        said.setAlignment(sign, Qt.AlignmentFlag.AlignTop)
        said.addWidget(label(words, type="small", tone="warn", wrap=True), 1)
        self.body.addLayout(said)

    def _row(self, *acts: Button) -> None:
        self.body.addLayout(row(*acts, None))
        for act in acts:
            act.show()

    def _begin(self, **options: object) -> None:
        if self._found is not None:
            self.rebuild.emit(Rebuild(collection=self._found.name, **options))  # type: ignore[arg-type]

    def _go_on(self) -> None:
        begun = self._making.begun
        if begun is not None:
            self._begin(older=True) if begun.older else self._begin(embedder=begun.embedder)

    def _ask(self) -> None:
        found = self._found
        if found is None:
            return
        form = RebuildForm(found, self._making.embedders)

        def act() -> None:
            request = form.request
            self._shell.close_overlay()
            self.rebuild.emit(request)

        form.acted.connect(act)
        form.cancelled.connect(self._shell.close_overlay)
        self._shell.open_dialog(form, 560)


class RebuildForm(ActForm):
    """What a collection shall be made anew with; `request` is what was chosen."""

    def __init__(self, found: Collection, embedders: Sequence[str]) -> None:
        self._found = found
        usual = found.chunking
        names = tuple(dict.fromkeys((*embedders, found.embedder_name)))
        here = {name: name if name in embedders else f"{name} (not here)" for name in names}
        self.embedder = chosen(here, names, found.embedder_name, "Embedder", "The model that makes the vectors.")
        self.strategy = chosen(STRATEGY_WORDS, tuple(STRATEGIES), usual.strategy, "How it is cut")
        self.size = Field("Size", _number(usual.target), "Tokens up to which a chunk is filled.", _tokens)
        self.overlap = Field("Overlap", _number(usual.overlap), "Longest sentence in two chunks.", _tokens)
        numbers = QWidget()
        beside = row(self.size, self.overlap, space=16)
        beside.setAlignment(Qt.AlignmentFlag.AlignTop)
        numbers.setLayout(beside)
        super().__init__(
            "Make anew",
            "All documents are read, cut and embedded again.",
            (self.embedder, self.strategy, numbers),
            title=f"Make {found.name} anew",
            consequences=CONSEQUENCES,
        )
        self.fields = [self.size, self.overlap]
        self.setFocusProxy(self.embedder.edit)

    @property
    def request(self) -> Rebuild:
        """What differs from how the collection is made; nothing where nothing does."""
        usual: Chunking = self._found.chunking
        embedder, strategy = value(self.embedder), value(self.strategy)
        size, overlap = int(self.size.text), int(self.overlap.text)
        return Rebuild(
            collection=self._found.name,
            embedder="" if embedder == self._found.embedder_name else embedder,
            strategy="" if strategy == usual.strategy else strategy,
            size=None if size == usual.target else size,
            overlap=None if overlap == usual.overlap else overlap,
        )


def _number(start: int) -> "QWidget":
    made = line_edit(text=str(start))
    made.setMaxLength(6)
    return made


def _tokens(text: str) -> str:
    return "" if text.strip().isdecimal() and text.isascii() else "Write a whole number of tokens."
