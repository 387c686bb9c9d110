"""Chat: ask a collection, read the answer as it comes, and see the page that each sentence rests on.

The list at the left holds the questions that the vault keeps; the panel at the right shows the page of the chosen citation. A question that is
stopped leaves nothing.
"""

from collections.abc import Sequence

from msgspec.structs import replace
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QSplitter, QWidget
from shiboken6 import isValid

from app.bridge.chatting import Choices, WithAdapter, gather, kept_pictures
from app.bridge.chatting import Seen as Shown
from app.bridge.operations import Failure, Handle
from app.bridge.seeing import Seen, seen
from app.pages.answer_export import ask_where
from app.pages.answers import TracePanel, present
from app.pages.assistant_form import ask_assistants
from app.pages.chat_pictures import show_in, show_large
from app.pages.compare import CompareView
from app.pages.document_making import in_the_window
from app.pages.page import Page, Shell, list_pane, scrolled
from app.pages.question_box import ALONE, QuestionBox
from app.pages.reader import Cited, Reader
from app.theme.look import look
from app.widgets.basic import SearchField, column, frame, row
from app.widgets.buttons import button
from app.widgets.empty_state import EmptyState
from app.widgets.exchange import Exchange
from app.widgets.page_view import PageView
from app.widgets.picture_tray import holds_pictures
from app.widgets.quick_switcher import Target
from app.widgets.side_list import SideList, SideRow
from app.widgets.toolbar import ContextChip
from core.assistants.records import QUOTES, Answer, Answered, Delta, Found, Question
from core.records import Json

WIDE_SHARE = 0.4
"""Of a wide page, what the reading pane gets."""
WIDEST = 860
"""Longer lines are hard to read."""
LIST, NARROWEST_ANSWERS, NARROWEST_PAGE = 204, 420, 340


class ChatPage(Page):
    """Keeps at most one question under way."""

    title = "Chat"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.box = QuestionBox(shell)
        self.box.sent.connect(self.ask)
        self.box.stopped.connect(self.stop)
        self.box.changed.connect(self._judge)
        self.collection, self.model, self.prompt = self.box.collection, self.box.model, self.box.prompt
        self.composer, self.send, self.halt = self.box.composer, self.box.send, self.box.halt
        self.about_collection = ContextChip("documents", "")
        self.about_prompt = ContextChip("stamp", "", "signed")
        self.about_collection.clicked.connect(lambda: self.shell.go("documents", self.collection.current))
        self.about_prompt.clicked.connect(lambda: self.shell.go("prompts", self.prompt.current.split("@")[0]))
        self.bar.about(self.about_collection, self.about_prompt)
        new = button("New chat", "new")
        new.clicked.connect(self._new)
        self.side_by_side = button("Compare", "columns")
        self.side_by_side.clicked.connect(lambda: self._compare(True))
        self.assistants = button("Assistants", "person")
        self.assistants.clicked.connect(self._ask_assistants)
        self.bar.act(self.assistants, self.side_by_side, new)
        self.find = SearchField("Find a question")
        self.find.textChanged.connect(self._list_traces)
        self.earlier = SideList("Earlier questions")
        self.earlier.picked.connect(self._show_trace)
        self._left = list_pane(self.find, self.earlier, width=LIST)
        self._thread = column(space=22)
        self._thread.addStretch(1)
        thread = QWidget()
        thread.setLayout(self._thread)
        thread.setMaximumWidth(look().px(WIDEST))
        holder = QWidget()
        across_thread = row(thread, space=0)
        holder.setLayout(across_thread)
        thread.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        across_thread.setStretch(0, 1000)
        across_thread.addStretch(1)
        self._thread.setContentsMargins(look().px(24), look().px(20), look().px(24), look().px(12))
        self._scroll = scrolled(holder)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.empty = EmptyState(
            "No documents yet. Add a folder, and you can ask it questions.", "Add folder", "folder-plus"
        )
        self.empty.acted.connect(lambda: self.shell.go("documents"))
        self.empty.hide()
        middle = frame("panel")
        inner = column(self.empty, self._scroll, space=0)
        inner.setStretch(1, 1)
        self.box.setMaximumWidth(look().px(WIDEST - 48))
        foot = row(self.box, margins=(24, 8, 24, 16))
        foot.setStretch(0, 1000)
        foot.addStretch(1)
        inner.addLayout(foot)
        middle.setLayout(inner)
        middle.setMinimumWidth(look().px(NARROWEST_ANSWERS))
        self.view = PageView()
        self.view.setMinimumWidth(look().px(NARROWEST_PAGE))
        self.view.closed.connect(self._close_side)
        self.reader = Reader(shell, self.view)
        self.reader.chose.connect(self._citation_shown)
        self.reader.failed.connect(self.fail)
        self.view.hide()
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(middle)
        self._split.addWidget(self.view)
        self._split.setStretchFactor(0, 1)
        self._split.setSizes([look().px(530), look().px(512)])
        self._middle = middle
        across = row(self._left, space=0)
        across.addWidget(self._split, 1)
        self.comparison = CompareView(shell)
        self.comparison.closed.connect(lambda: self._compare(False))
        self.comparison.kept.connect(self._keep)
        self.comparison.hide()
        across.addWidget(self.comparison, 1)
        self.body.addLayout(across)
        self.setAcceptDrops(True)
        self.exchanges: list[Exchange] = []
        self._answers: dict[Exchange, Answer] = {}
        self._current: Exchange | None = None
        self._handle: Handle | None = None
        self._waiting: tuple[str, str] | None = None
        self._answering: WithAdapter | None = None
        self._choices = Choices()
        self._judge()

    # what the window asks of a page

    def opened(self) -> None:
        self.operations.run("Read the collections", gather, self._show_choices)

    def show_about(self, about: object) -> None:
        """A collection, a (collection, question) to ask, or a model with an adapter that shall answer."""
        if isinstance(about, WithAdapter):
            self._answering = about
            return
        name, text = about if isinstance(about, tuple) else (str(about), "")
        self._waiting = (name, text)

    def changed(self, event: object) -> None:
        if getattr(event, "act", "") in (
            "ask",
            "add-documents",
            "remove-documents",
            "add-model",
            "remove-model",
            "save-prompt",
        ):
            self.operations.run("Read the collections", gather, self._show_choices)

    def panes(self) -> list[QWidget]:
        if self.comparison.isVisibleTo(self):
            return [self.comparison]
        return [self._left, self._middle, self.view]

    def side(self) -> QWidget | None:
        return self.view

    def targets(self) -> list[Target]:
        return [
            Target(answer.question.text, "Question", "chat", lambda which=trace: self._go_trace(which))
            for trace, answer in self._choices.traces[:50]
        ]

    def start(self) -> QWidget:
        return self.composer

    def draft(self) -> Json:
        shown = self.comparison.composer if self.comparison.isVisibleTo(self) else self.composer
        return shown.toPlainText().strip() or None

    def take_draft(self, draft: Json) -> None:
        self.composer.setPlainText(str(draft))

    # asking

    def ask(self) -> None:
        """Ask what is written."""
        text = self.composer.toPlainText().strip()
        if not text or not self.send.isEnabled() or not self.box.values.good():
            return
        earlier = [exchange.question for exchange in self.exchanges if exchange in self._answers]
        question, pictures = self.box.question(text, earlier), tuple(self.box.pictures.seen)
        self.box.clear()
        self._ask(question, pictures)

    def stop(self) -> None:
        """Stop the answer that is under way."""
        if self._handle is not None:
            self._handle.cancel()

    def _ask(self, question: Question, pictures: Sequence[Shown] = ()) -> None:
        exchange = self._begin(question.text)
        self._show_pictures(exchange, pictures)
        content = tuple(one.data for one in pictures)

        def parts(found: list[object]) -> None:
            for part in found:
                if isinstance(part, Found):
                    exchange.waiting(f"Reading {len(part.passages)} passages")
                elif isinstance(part, Delta):
                    exchange.stream(part.text, part.misquoted)
                elif isinstance(part, Answered):
                    self._answered(exchange, part.answer)
            self._follow()

        def failed(found: Failure) -> None:
            exchange.fail(
                in_the_window(found.sentence), found.safe or "Your question and the earlier answers are kept."
            )
            self._ended()

        def stopped() -> None:
            exchange.stopped()
            self._ended()

        exchange.again.connect(lambda: self._ask(question, pictures) if self._handle is None else None)
        self._handle = self.operations.stream(
            "Answer a question",
            lambda bench, job: bench.assistants.ask(question, job, content),
            parts,
            self._ended,
            failed,
            stopped,
        )
        self._judge()

    def _compare(self, on: bool) -> None:
        """Show two answers beside each other, or the chat again."""
        if not on:
            self.comparison.stop()
        self.comparison.setVisible(on)
        self._split.setVisible(not on)
        self._left.setVisible(not on)
        if on:
            self.comparison.offer(self.collection.current, self._choices)
            self.comparison.composer.setPlainText(self.composer.toPlainText())
            self.comparison.pictures.put_back(self.box.pictures.seen)
            self.comparison.composer.setFocus()
        else:
            self._fit_panes()
            self.composer.setFocus()
        self._judge()

    def _keep(self, answer: Answer) -> None:
        """Go on with the better of two: it stands in the chat, and what made it answers from now on."""
        pictures = tuple(self.comparison.shown)
        self._compare(False)
        self.box.clear()
        self.box.use(answer.question)
        self._judge()
        exchange = self._begin(answer.question.text)
        self._show_pictures(exchange, pictures)
        self._repeat(exchange, answer, pictures)
        self._answered(exchange, answer)

    def _repeat(self, exchange: Exchange, answer: Answer, pictures: Sequence[Shown]) -> None:
        """Let a question that was answered before be asked again."""
        question = replace(answer.question, pictures=())

        def again() -> None:
            if self._handle is None:
                self._ask(question, pictures)

        exchange.again.connect(again)

    def _show_pictures(self, exchange: Exchange, pictures: Sequence[Shown]) -> None:
        show_in(exchange.pictures, pictures)
        exchange.pictures.asked.connect(lambda place: show_large(self.shell, pictures[place]))

    def _ended(self) -> None:
        self._handle = None
        self._judge()

    def _begin(self, text: str) -> Exchange:
        if self.comparison.isVisibleTo(self):
            self._compare(False)
        exchange = Exchange(text)
        exchange.picked.connect(lambda number: self._pick(exchange, number))
        exchange.trace_asked.connect(lambda: self._show_how(exchange))
        exchange.tokens_asked.connect(lambda: self._show_how(exchange, "tokens"))
        exchange.nearest_asked.connect(lambda: self._show_nearest(exchange))
        exchange.save_asked.connect(lambda: ask_where(self.shell, self, self._answers[exchange]))
        self.exchanges.append(exchange)
        self._thread.insertWidget(self._thread.count() - 1, exchange)
        self._current = exchange
        self._follow()
        return exchange

    def _answered(self, exchange: Exchange, answer: Answer) -> None:
        self._answers[exchange] = answer
        exchange.save.show()
        chosen = present(exchange, answer, self._choices.names)
        if chosen:
            self._pick(exchange, chosen)

    # reading

    def _pick(self, exchange: Exchange, number: int) -> None:
        answer = self._answers.get(exchange)
        if answer is None:
            return
        self._current = exchange
        exchange.choose(number)
        cited = [Cited(found.number, found.document, found.page, found.quote) for found in answer.citations]
        if not any(found.number == number for found in cited) and number <= len(answer.passages):
            passage = answer.passages[number - 1]
            cited = [Cited(number, passage.document, passage.page, passage.text)]
        self._open_side()
        self.reader.show_citations(cited, number)

    def _citation_shown(self, number: int) -> None:
        if self._current is not None:
            self._current.choose(number)

    def _show_nearest(self, exchange: Exchange) -> None:
        answer = self._answers[exchange]
        passage = answer.passages[0]
        self._open_side()
        self.reader.show_citations([Cited(1, passage.document, passage.page, passage.text)], 1)

    def _open_side(self) -> None:
        if not self.view.isVisible():
            self.view.show()
            self._fit_panes()
            width = self.width() - (look().px(LIST) if self._left.isVisibleTo(self) else 0)
            wide = max(look().px(512), round(width * WIDE_SHARE))
            side = min(wide, max(look().px(NARROWEST_PAGE), width - look().px(530)))
            self._split.setSizes([width - side, side])

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if holds_pictures(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        shown = self.comparison.pictures if self.comparison.isVisibleTo(self) else self.box.pictures
        shown.take(event.mimeData())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_panes()

    def _close_side(self) -> None:
        self.view.hide()
        self._fit_panes()

    def _fit_panes(self) -> None:
        """Where the page is too narrow for everything, the reading pane takes the place of the list, and then of the answers."""
        here = look()
        if self.comparison.isVisibleTo(self):
            return
        reading = self.view.isVisibleTo(self)
        both = here.px(NARROWEST_ANSWERS + NARROWEST_PAGE)
        self._left.setVisible(not reading or self.width() >= both + here.px(LIST))
        self._middle.setVisible(not reading or self.width() >= both)

    def _show_how(self, exchange: Exchange, view: str = "text") -> None:
        answer = self._answers[exchange]
        panel = TracePanel(answer, self._choices.names)
        panel.close_button.clicked.connect(self.shell.close_overlay)
        panel.tokens_asked.connect(lambda: self._show_tokens(panel, answer))
        self.shell.open_dialog(panel, 720)
        panel.turn(view)

    def _show_tokens(self, panel: TracePanel, answer: Answer) -> None:
        """Ask for what the model saw, token by token; the panel may be closed before it comes."""

        def show(found: Seen) -> None:
            if isValid(panel):
                panel.show_seen(found)

        def failed(found: Failure) -> None:
            if isValid(panel):
                panel.refuse(found.sentence)

        self.operations.run("Read the tokens", lambda bench, job: seen(bench, job, answer), show, failed)

    # the list of earlier questions

    def _show_choices(self, found: Choices) -> None:
        self._choices = found
        names = [name for name, _ in found.collections]
        self.box.offer(found)
        if self._answering is not None:
            self.box.answer_with(self._answering)
            self._answering = None
        self._list_traces()
        self._judge()
        if self._waiting is not None:
            name, text = self._waiting
            self._waiting = None
            if name in names:
                self.collection.choose(name)
            if text and self._handle is None and names:
                if self.box.values.good():
                    self._ask(self.box.question(text))
                else:
                    self.composer.setPlainText(text)

    def _list_traces(self) -> None:
        wanted = self.find.text().casefold()
        rows: list[SideRow] = []
        for collection in dict.fromkeys(answer.question.collection for _, answer in self._choices.traces):
            group = [
                SideRow(trace, answer.question.text)
                for trace, answer in self._choices.traces
                if answer.question.collection == collection and wanted in answer.question.text.casefold()
            ]
            if group:
                rows += [SideRow("", collection or ALONE, heading="folder"), *group]
        self.earlier.show_rows(rows)

    def _show_trace(self, trace: str) -> None:
        answer = next((found for digest, found in self._choices.traces if digest == trace), None)
        if answer is not None:
            self._clear()
            exchange = self._begin(answer.question.text)
            self._answered(exchange, answer)
            if not answer.question.pictures:
                self._repeat(exchange, answer, ())
                return

            def show(pictures: tuple[Shown, ...]) -> None:
                if exchange in self.exchanges:
                    self._show_pictures(exchange, pictures)
                    self._repeat(exchange, answer, pictures)

            self.operations.run(
                "Read the pictures", lambda bench, job: kept_pictures(bench, job, answer.question), show, self.fail
            )

    def _go_trace(self, trace: str) -> None:
        self.shell.go("chat")
        self._show_trace(trace)

    def _ask_assistants(self) -> None:
        """Make, change or remove saved assistants; the one that was saved is asked from now on."""

        def changed(name: str) -> None:
            def show(found: Choices) -> None:
                self._show_choices(found)
                self.box.assistant.choose(name)

            self.operations.run("Read the collections", gather, show)

        ask_assistants(self.shell, self.box.finding.finding, self.box.assistant.current, changed)

    def _new(self) -> None:
        if self.comparison.isVisibleTo(self):
            self._compare(False)
        self._clear()
        self.box.pictures.clear()
        self._close_side()
        self.composer.setFocus()

    def _clear(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        for exchange in self.exchanges:
            self._thread.removeWidget(exchange)
            exchange.hide()
            exchange.deleteLater()
        self.exchanges.clear()
        self._answers.clear()
        self._current = None

    def _judge(self) -> None:
        busy = self._handle is not None
        nothing = not self._choices.collections and self.model.current == QUOTES and not self.exchanges
        self.empty.setVisible(nothing)
        self._scroll.setVisible(not nothing)
        self.about_collection.say(self.collection.current)
        self.about_collection.setVisible(bool(self.collection.current) and not self.box.assisted)
        approved = self.prompt.current in self._choices.approved
        self.about_prompt.say(self.prompt.current.replace("@", " v"), "signed" if approved else "unverified")
        self.about_prompt.setToolTip("Approved" if approved else "Not approved")
        self.about_prompt.setVisible(self.box.prompted)
        self.box.judge(busy)
        self.side_by_side.refuse("Add documents first." if not self.collection.current else "")
        self.side_by_side.setVisible(not self.comparison.isVisibleTo(self))

    def _follow(self) -> None:
        bar = self._scroll.verticalScrollBar()
        QTimer.singleShot(0, self, lambda: bar.setValue(bar.maximum()) if isValid(bar) else None)
