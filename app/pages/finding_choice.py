"""Where a question looks and in what order: a button that says it, and the dialog that changes it."""

import re
from typing import Literal, cast

from msgspec.structs import replace
from PySide6.QtCore import Signal
from shiboken6 import isValid

from app.bridge.finding import Shelves, said, shelves
from app.bridge.operations import Failure
from app.pages.page import Shell
from app.pages.screening_form import chosen, value
from app.widgets.act_form import ActForm
from app.widgets.buttons import Button
from app.widgets.forms import Field, line_edit
from app.widgets.tick_list import TickList
from core.documents.filtering import Filters
from core.retrieval.records import Finding

Unsupported = Literal["mark", "decline"]
ORDER = {"1": "The most relevant first", "0.7": "Relevant, and varied", "0.4": "Varied first"}
UNSUPPORTED = {"mark": "Mark the sentences", "decline": "Say that the documents don’t say"}
NOBODY = "No model"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
USUAL = "All documents"


class FindingForm(ActForm):
    """`finding` and `without_support` are what the form says as it stands."""

    def __init__(self, shelves: Shelves, finding: Finding, without_support: Unsupported) -> None:
        self._before = finding
        filters = finding.filters
        self.also = TickList("Search these collections too", "", "Find a collection")
        self.files = TickList("Only these documents", "All where none is ticked.", "Find a document")
        self.folders = TickList("Only below these folders", "", "Find a folder")
        self.types = TickList("Only these kinds of file", "", "Find a kind")
        self.tags = TickList("Only with one of these tags", "", "Find a tag")
        self.since = Field("Added from", line_edit("2026-03-31", filters.since), "", _date, beside=True)
        self.until = Field("Added until", line_edit("2026-03-31", filters.until), "", _date, beside=True)
        orders = {**ORDER} if f"{finding.mmr:g}" in ORDER else {**ORDER, f"{finding.mmr:g}": f"As {finding.mmr:g} says"}
        self.order = chosen(orders, tuple(orders), f"{finding.mmr:g}", "Order")
        models = dict.fromkeys(("", *shelves.rerankers, finding.reranker))
        self.reranker = chosen(
            {name: name or NOBODY for name in models}, tuple(models), finding.reranker, "Ordered by",
            "A reranker reads the best passages once more. Searches take longer." if shelves.rerankers else "No reranker is registered.",
        )  # fmt: skip
        self.unsupported = chosen(
            UNSUPPORTED,
            tuple(UNSUPPORTED),
            without_support,
            "No support",
            "What becomes of a model’s answer that no passage supports.",
        )
        super().__init__(
            "Use",
            parts=(
                self.also, self.files, self.folders, self.types, self.tags, self.since, self.until, self.order, self.reranker, self.unsupported
            ),
            title=f"Where questions to {shelves.collection} look",
        )  # fmt: skip
        for ticked, names, current in (
            (self.also, shelves.others, finding.also),
            (self.files, shelves.files, filters.files),
            (self.folders, shelves.folders, filters.folders),
            (self.types, shelves.types, filters.types),
            (self.tags, shelves.tags, filters.tags),
        ):
            ticked.offer([(name, name) for name in names])
            ticked.tick(current)
        self.setFocusProxy(self.files.list)

    @property
    def finding(self) -> Finding:
        """Where is looked, and in what order."""
        filters = replace(
            self._before.filters,
            files=self.files.chosen(),
            folders=self.folders.chosen(),
            types=self.types.chosen(),
            tags=self.tags.chosen(),
            since=self.since.text.strip(),
            until=self.until.text.strip(),
        )
        return Finding(
            also=self.also.chosen(), filters=filters, mmr=float(value(self.order)), reranker=value(self.reranker)
        )

    @property
    def without_support(self) -> Unsupported:
        return cast(Unsupported, value(self.unsupported))

    def check(self) -> str:
        since, until = self.since.text.strip(), self.until.text.strip()
        return "The first day is after the last one." if since and until and since > until else ""


class FindingChooser(Button):
    """Says where questions look; a press changes that. `picked` comes when it was changed."""

    picked = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__("", "search")
        self._shell = shell
        self._collection = ""
        self.become("quiet")
        self.finding = Finding()
        self.without_support: Unsupported = "decline"
        self.clicked.connect(self._open)
        self._say()

    def offer(self, collection: str) -> None:
        """The collection that is asked; filters of another one are let go, its order stays."""
        if collection != self._collection:
            if self._collection:
                self.finding = replace(self.finding, also=(), filters=Filters())
            self._collection = collection
            self._say()
        self.setVisible(bool(collection))

    def take(self, finding: Finding, without_support: Unsupported) -> None:
        """Look where an earlier question did."""
        self.finding, self.without_support = finding, without_support
        self._say()

    def _say(self) -> None:
        words = said(self.finding)
        shown = (
            USUAL
            if not words
            else f"{words[0][:1].upper()}{words[0][1:]}"
            if len(words) == 1
            else f"{len(words)} limits"
        )
        self.setText(shown)
        self.setToolTip("\n".join(words))
        self.setAccessibleName(f"Where it looks: {', '.join(words) or USUAL}")
        self.updateGeometry()

    def minimumSizeHint(self):
        hint = super().minimumSizeHint()
        hint.setWidth(min(hint.width(), 112))
        return hint

    def _open(self) -> None:
        name = self._collection
        self._shell.operations.run(
            "Read the documents", lambda bench, job: shelves(bench, name), self._show, self._fail
        )

    def _fail(self, found: Failure) -> None:
        self._shell.operations.failed.emit(found)

    def _show(self, found: Shelves) -> None:
        if not isValid(self) or found.collection != self._collection:
            return
        form = FindingForm(found, self.finding, self.without_support)
        form.cancelled.connect(self._shell.close_overlay)

        def use() -> None:
            self.take(form.finding, form.without_support)
            self._shell.close_overlay()
            self.picked.emit()

        form.acted.connect(use)
        self._shell.open_dialog(form, 560)


def _date(text: str) -> str:
    return "" if not text.strip() or _DATE.fullmatch(text.strip()) else "Write a date as 2026-03-31."
