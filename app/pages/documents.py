"""Documents: collections, what is in them, adding folders and files, and reading any page.

Adding shows how far it is, what can be used already, and what was refused with its reason; the rest goes on. Cancelling keeps what is in.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QStackedWidget, QWidget

from app.bridge.care import policy
from app.bridge.opening import size
from app.bridge.operations import Handle
from app.pages.document_adding import AS_USUAL, Adding
from app.pages.document_comparison import DocumentComparison
from app.pages.document_cutting import FIRST, ask_cutting
from app.pages.document_folders import Folders
from app.pages.document_making import MakingCard
from app.pages.document_screening import CollectionScreening
from app.pages.page import Page, Shell, list_pane, side_pane
from app.pages.reader import Reader
from app.pages.removal import Removal
from app.theme.look import look
from app.widgets.basic import Card, Elided, SearchField, clear, column, label, row, shorten
from app.widgets.beside import ANY, SHARE, Beside
from app.widgets.buttons import Button, button
from app.widgets.empty_state import EmptyState
from app.widgets.name_form import NameForm
from app.widgets.page_view import PageView
from app.widgets.quick_switcher import Target
from app.widgets.side_list import SideList, SideRow
from app.widgets.table import Cell, Column, Table
from core.documents.records import Chunking, Collection, CuttingChoice, Document
from core.records import Digest
from core.vault.roles import Act

if TYPE_CHECKING:
    from core.jobs import Job
    from core.vault.policies import Policy
    from core.workbench import Workbench

NEW = "+"
KINDS = {
    "application/pdf": ("PDF", "pdf"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("Word", "file"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("Excel", "datasets"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("Slides", "file"),
    "application/vnd.ms-excel": ("Excel", "datasets"),
    "application/vnd.ms-outlook": ("Mail", "mail"),
    "application/vnd.oasis.opendocument.text": ("Writer", "file"),
    "application/vnd.oasis.opendocument.spreadsheet": ("Sheets", "datasets"),
    "application/vnd.oasis.opendocument.presentation": ("Slides", "file"),
    "application/epub+zip": ("Book", "file"),
    "text/csv": ("CSV", "datasets"),
    "text/html": ("HTML", "file"),
    "text/markdown": ("Markdown", "file"),
    "text/plain": ("Text", "file"),
    "message/rfc822": ("Mail", "mail"),
}


def kind(media: str) -> tuple[str, str]:
    """A media type in a word, and its icon."""
    return KINDS.get(media, (media.rsplit("/", 1)[-1].upper()[:8], "file"))


def collections(bench: "Workbench", job: "Job") -> tuple[tuple[Collection, ...], tuple[str, ...]]:
    """The collections, and the names of those of which documents wait for decisions."""
    return tuple(bench.documents.collections()), bench.screening.collections()


CARDS, READING, NARROW = 304, 480, 700
READING_SHARE = 0.62
"""Of the height, what a page that is read gets where it lies below the list."""


class DocumentsPage(Page):
    """The chosen document is described at the right; opened, its pages are read there."""

    title = "Documents"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.add_files = button("Add files", "file-plus")
        self.add_folder = button("Add folder", "folder-plus", "primary")
        self.add_files.clicked.connect(self._choose_files)
        self.add_folder.clicked.connect(self._choose_folder)
        self.bar.act(self.add_files, self.add_folder)
        self.find_collection = SearchField("Find a collection")
        self.find_collection.textChanged.connect(self._list_collections)
        self.list = SideList("Collections")
        self.list.picked.connect(self._collection_picked)
        self._left = list_pane(self.find_collection, self.list, width=216)
        self.adding = Adding(shell, self.banner, self)
        self.adding.turned.connect(self._judge)
        self.adding.read_again.connect(self.opened)
        self.work = self.adding.work
        self.folders = Folders(shell, shell.folder_watch)
        self.folders.added.connect(self._watch_folder)
        self.folders.read.connect(self._read)
        self.folders.refreshed.connect(lambda: self.adding.refresh(self._collection))
        self.folders.left.connect(self._follow_none)
        self._heading = label("", type="heading")
        self._count = Elided("", tone="secondary")
        self.find = SearchField("Find a document")
        self.find.setMaximumWidth(look().px(220))
        self.find.setMinimumWidth(look().px(120))
        self.find.textChanged.connect(self._narrow)
        tools = QWidget()
        head = row(self._heading, self._count, self.find, margins=(20, 8, 16, 8))
        head.setStretch(1, 1)
        tools.setLayout(head)
        self.table = Table(
            [
                Column("Document", lambda found: Cell(found.name, kind(found.media)[1], icon_tone="text.secondary")),
                Column("Kind", lambda found: Cell(kind(found.media)[0], tone="text.secondary"), 84, spare=2),
                Column("Pages", lambda found: Cell(f"{found.pages:,}", tone="text.secondary"), 70, right=True, spare=3),
                Column("Size", lambda found: Cell(size(found.size), tone="text.secondary"), 84, right=True, spare=1),
                Column("State", state, 150),
            ],
            "Documents",
        )
        self.table.chosen.connect(self._describe)
        self.table.opened.connect(lambda found: self._open_document())
        self.empty = EmptyState(
            "No documents yet. Add a folder, and you can ask it questions.", "Add folder", "folder-plus", "normal"
        )
        self.empty.acted.connect(self._choose_folder)
        filled = QWidget()
        inner = column(tools, self.table, space=0)
        inner.setStretch(1, 1)
        filled.setLayout(inner)
        self._filled = filled
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(filled)
        middle = DropFrame(self)
        self.body.removeWidget(self.banner)
        self.layout().removeWidget(self.banner)
        self.screening = CollectionScreening(shell, self)
        self.screening.told.connect(self.fail)
        self.screening.turned.connect(self._turn)
        self.comparing = DocumentComparison(shell, self)
        self.comparing.told.connect(self.fail)
        self.comparing.turned.connect(self._turn_comparing)
        across_middle = column(self.adding.strip, self.screening.strip, self._stack, space=0)
        across_middle.setStretch(2, 1)
        middle.setLayout(across_middle)
        self._middle = middle
        self._about = Card()
        self.making = MakingCard(shell)
        self.making.rebuild.connect(self.adding.rebuild)
        self.making.given_up.connect(self._give_up)
        self.open_button = Button("Open", "book")
        self.ask_button = Button("Ask it", "chat")
        self.compare_button = Button("Compare", "compare", "quiet")
        self.remove_button = Button("Remove", "trash", "quiet")
        self._acts = QWidget(self._about)  # it stays the card's own while the facts above it change
        self._acts.setLayout(
            column(
                row(self.open_button, self.ask_button, None, margins=(0, 6, 0, 0)),
                row(self.compare_button, self.remove_button, None),
            )
        )
        self.open_button.clicked.connect(self._open_document)
        self.ask_button.clicked.connect(lambda: self.shell.go("chat", self._collection))
        self.compare_button.clicked.connect(self._ask_comparison)
        self.remove_button.clicked.connect(self._ask_removal)
        self._cards = side_pane(self._about, self.making, self.folders, self.screening.card, width=CARDS)
        self._cards.setMinimumWidth(0)
        self._cards.setMaximumWidth(ANY)
        self.view = PageView()
        self.view.closed.connect(lambda: self._side.setCurrentWidget(self._cards))
        self.reader = Reader(shell, self.view)
        self.reader.failed.connect(self.fail)
        self._side = SideStack()
        self._side.addWidget(self._cards)
        self._side.addWidget(self.view)
        self._side.currentChanged.connect(lambda _: self._fit_side())
        across = row(self._left, space=0)
        self._beside = Beside(middle, self._side, CARDS, narrow=NARROW)
        inside = column(self.banner, self._beside, self.screening.view, self.comparing.view, space=0)
        for part in (1, 2, 3):
            inside.setStretch(part, 1)
        across.addLayout(inside, 1)
        self.body.addLayout(across)
        self._collections: tuple[Collection, ...] = ()
        self._waiting: tuple[str, ...] = ()
        self._documents: tuple[Document, ...] = ()
        self._digests: dict[str, str] = {}
        self._collection = ""
        self._reasons: tuple[str, ...] = ()
        self._fit_side()
        self._describe(None)

    def opened(self) -> None:
        self.operations.run("Read the collections", collections, self._show_collections)
        self.operations.run("Read the policy", lambda bench, job: policy(bench), self._obey, lambda _: None)

    def show_about(self, about: object) -> None:
        self._collection = str(about)

    def changed(self, event: object) -> None:
        if getattr(event, "act", "") in ("add-documents", "remove-documents", "change-settings"):
            self.opened()

    def panes(self) -> list[QWidget]:
        for view in (self.screening.view, self.comparing.view):
            if view.isVisibleTo(self):
                return [self._left, view]
        return [self._left, self._middle, self._side]

    def side(self) -> QWidget | None:
        return self._side

    def targets(self) -> list[Target]:
        return [
            Target(found.name, "Collection", "documents", lambda name=found.name: self.shell.go("documents", name))
            for found in self._collections
        ]

    # adding

    def add(self, paths: Sequence[str], collection: str = "") -> None:
        """Add files and folders to a collection; without one, to the one shown. How one without documents is cut is asked, and its name."""
        name = collection or self._collection
        if not paths or self._handle is not None:
            return
        filled = [one.name for one in self._collections if one.documents]
        if collection or name in filled:
            self._begin_adding(name, paths)
            return
        usual = next((one.chunking for one in self._collections if one.name == name), Chunking())
        begin = partial(self._begin_adding, paths=paths)
        ask_cutting(self.shell, paths, name, usual, filled, lambda given, cutting: begin(given, cutting=cutting))

    def _begin_adding(self, name: str, paths: Sequence[str], cutting: CuttingChoice = AS_USUAL) -> None:
        self._collection = name
        self.adding.add(name, paths, cutting=cutting)

    @property
    def _handle(self) -> Handle | None:
        """The import that runs."""
        return self.adding.handle

    def _follow_none(self) -> None:
        name = self._collection
        self.operations.run(
            "Follow no folder",
            lambda bench, job: bench.refreshing.unfollow(name),
            lambda _: self.folders.show_collection(name),
            self.fail,
        )

    def _watch_folder(self, folder: str) -> None:
        if self._collection:
            self.adding.refresh(self._collection, [folder])

    def _choose_folder(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Add a folder")
        if found:
            self.add([found])

    def _choose_files(self) -> None:
        found, _ = QFileDialog.getOpenFileNames(self, "Add files")
        if found:
            self.add(found)

    def _ask_name(self, then: Callable[[str], None]) -> None:
        form = NameForm("Name the collection", "Name", FIRST, "Documents that are searched together.")
        form.left.connect(self.shell.close_overlay)

        def take(name: str) -> None:
            self.shell.close_overlay()
            then(name)

        form.named.connect(take)
        self.shell.open_dialog(form, 440)

    def _begin_collection(self, name: str) -> None:
        self._collection = name
        self._show_collection()

    # showing

    def _show_collections(self, found: tuple[tuple[Collection, ...], tuple[str, ...]]) -> None:
        self._collections, waiting = found
        names = [one.name for one in self._collections]
        self._waiting = tuple(name for name in waiting if name not in names)
        names += self._waiting
        if self._collection not in names and not self._handle:
            self._collection = names[0] if names else ""
        self._list_collections()
        self.list.mark(self._collection)
        self._show_collection()

    def _list_collections(self) -> None:
        wanted = self.find_collection.text().casefold()
        rows = [
            SideRow(found.name, found.name, "documents", f"{found.documents:,}")
            for found in self._collections
            if wanted in found.name.casefold()
        ]
        rows += [SideRow(name, name, "documents", "0") for name in self._waiting if wanted in name.casefold()]
        rows.append(SideRow(NEW, "New collection", "plus"))
        self.list.show_rows(rows)

    def _collection_picked(self, key: str) -> None:
        if self.comparing.view.isVisible():
            self._turn_comparing(False)
        if key == NEW:
            self._ask_name(self._begin_collection)
            return
        self._collection = key
        self._show_collection()

    def _show_collection(self) -> None:
        name = self._collection
        self._heading.setText(name)
        self.screening.show(name)
        self.folders.show_collection(name)
        known = next((found for found in self._collections if found.name == name), None)
        self.making.show_collection(known)
        if known is None:
            self.empty.say(
                f"Nothing in {name} can be asked yet. Decide about what waits."
                if name in self._waiting
                else f"Nothing in {name} yet. Add a folder to it."
                if name
                else "No documents yet. Add a folder, and you can ask it questions."
            )
            self._stack.setCurrentWidget(self.empty)
            self._describe(None)
            return
        self._stack.setCurrentWidget(self._filled)
        self._count.say(f"{known.documents:,} documents, {known.pages:,} pages, {known.chunks:,} chunks")
        self.operations.run("Read the documents", lambda bench, job: listed(bench, name), self._show_documents)

    def _show_documents(self, found: tuple[tuple[str, Document], ...]) -> None:
        if found and found[0][1].collection != self._collection:
            return
        self._digests = {document.name: digest for digest, document in found}
        self._documents = tuple(document for _, document in found)
        self._narrow()
        if self.table.current() is None and self._documents:
            self.table.choose(0)

    def _narrow(self) -> None:
        wanted = self.find.text().casefold()
        kept = [found for found in self._documents if wanted in f"{found.name} {found.title}".casefold()]
        self.table.show_rows(kept, keep=lambda found: found.name)

    def _describe(self, found: Document | None) -> None:
        self._about.body.removeWidget(self._acts)
        clear(self._about.body)
        if found is None:
            self._about.hide()
            return
        self._about.show()
        self._about.body.addWidget(label(found.title or found.name, type="heading", wrap=True))
        self._about.body.addWidget(
            label(f"Added {found.added[:10]} · sha256 {shorten(found.content)}", type="small", tone="tertiary")
        )
        read = found.pages - found.pages_without_text
        self._about.fact(
            "Text found", f"{read:,} of {found.pages:,} page{'s' if found.pages != 1 else ''}", tone="primary"
        )
        self._about.fact("Kind", kind(found.media)[0], tone="primary")
        self._about.fact("Size", size(found.size), tone="primary")
        self._about.body.addWidget(self._acts)
        self._judge()

    def _give_up(self) -> None:
        name = self._collection
        self.operations.run(
            "Give up a rebuild",
            lambda bench, job: bench.rebuilding.give_up(name),
            lambda _: self.shell.toast(f"{name} stays as it is"),
            self.fail,
        )

    def _open_document(self) -> None:
        found = self.table.current()
        if found is not None:
            self._read(self._digests[found.name])

    def _read(self, document: str) -> None:
        self._side.setCurrentWidget(self.view)
        self._side.show()
        self.reader.show_document(document)

    def _ask_comparison(self) -> None:
        found = self.table.current()
        if found is not None:
            self.comparing.ask(Digest(self._digests[found.name]), found)

    def _ask_removal(self) -> None:
        found = self.table.current()
        if found is None:
            return
        panel = Removal(
            "Remove document",
            f"{found.name} can’t be found or cited any more. Answers that were given from it stay, and so does the log.",
            Act.REMOVE_DOCUMENTS.value in self._reasons,
        )
        panel.keep.clicked.connect(self.shell.close_overlay)
        panel.remove.clicked.connect(lambda: self._remove(found, panel))
        self.shell.open_dialog(panel, 440)

    def _obey(self, found: "Policy") -> None:
        self._reasons = found.reasons

    def _remove(self, found: Document, panel: "Removal") -> None:
        if not panel.good():
            return
        reason = panel.reason.text.strip()
        self.shell.close_overlay()
        digest = Digest(self._digests[found.name])
        self.operations.run(
            "Remove a document",
            lambda bench, job: bench.documents.remove(digest, reason),
            lambda _: self.shell.toast(f"{found.name} was removed"),
            self.fail,
        )

    def _judge(self) -> None:
        reason = "Documents are being added. Wait, or cancel that first." if self._handle is not None else ""
        self.add_files.refuse(reason)
        self.add_folder.refuse(reason)
        self.remove_button.refuse(reason)
        self.making.refuse(reason)
        self.shell.folder_watch.hold(self._handle is not None)
        if self._collection:
            self.folders.refuse(reason)

    def _turn(self, screening: bool) -> None:
        """Show the findings of screening, or the documents again."""
        self._beside.setVisible(not screening)
        self.add_folder.become("normal" if screening else "primary")
        self.screening.view.setVisible(screening)
        self.comparing.view.hide()

    def _turn_comparing(self, comparing: bool) -> None:
        """Show a comparison, or the documents again."""
        self._turn(False)
        self._beside.setVisible(not comparing)
        self.add_folder.become("normal" if comparing else "primary")
        self.comparing.view.setVisible(comparing)

    def _fit_side(self) -> None:
        reading = self._side.currentWidget() is self.view
        self._beside.give(READING if reading else CARDS, READING_SHARE if reading else SHARE)


def listed(bench: "Workbench", collection: str) -> tuple[tuple[str, Document], ...]:
    """A collection's documents with their digests."""
    return tuple(bench.documents.list(collection))


def state(found: Document) -> Cell:
    """How a document stands, in words."""
    if found.pages_without_text >= found.pages:
        return Cell("No text found", "hidden", "warn.fg")
    if found.pages_without_text:
        return Cell(f"{found.pages_without_text} pages without text", "hidden", "warn.fg")
    return Cell("Ready", "check", icon_tone="pass.fg")


class SideStack(QStackedWidget):
    """Cards about a document, or its pages."""


class DropFrame(QFrame):
    """The middle of the page, where files and folders may be dropped."""

    def __init__(self, page: DocumentsPage) -> None:
        super().__init__()
        self._page = page
        self.setProperty("surface", "panel")
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self._page.add(dropped(event.mimeData()))


def dropped(data: QMimeData) -> list[str]:
    """The local files and folders of a drop."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
