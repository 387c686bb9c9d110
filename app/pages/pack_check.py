"""A verdict as a page that somebody reads who knows no cryptography: the verdict itself, what it means, what is left to do, what was checked,
what was taken out, and who signed. The words are those of `pack_words`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QLayout, QMenu, QWidget

from app.pages import pack_words
from app.pages.pack_words import CheckedPack, capped, fingerprint, meaning_of, sentence
from app.pages.page import scrolled
from app.pages.signatures import WORDS
from app.theme.look import look
from app.widgets.announcing import announce
from app.widgets.basic import Elided, IconLabel, clear, column, frame, label, line, restyle, row
from app.widgets.buttons import Button, button
from app.widgets.seal import Seal, SealState
from core.evidence.records import Check, SignatureCheck

SEALS = {"valid": SealState.VALID, "incomplete": SealState.INCOMPLETE, "invalid": SealState.BROKEN}
TONES = {"valid": "pass", "incomplete": "warn", "invalid": "fail"}
ASKS = {
    "Contents": "Is anything missing or altered?",
    "Signatures": "Did these people sign exactly this?",
    "Order of events": "Were the criteria fixed before the run?",
    "History": "Does the record of events hold together?",
    "Scores": "Do the figures follow from the answers?",
    "Adapters": "Is it known what they learned from?",
    "Made for you": "Is it the pack that you asked for?",
    "Withheld": "Was anything taken out?",
}
"""What each check answers, for a reader who doesn't know how."""
UNITS = {
    "Contents": "files",
    "Signatures": "signatures",
    "History": "entries of the log",
    "Scores": "answers",
    "Adapters": "adapters",
    "Withheld": "fields",
}
SIGNS = {
    "ok": ("check", "pass.fg"),
    "attention": ("minus", "text.secondary"),
    "open": ("alert", "warn.fg"),
    "failed": ("cross", "fail.fg"),
}
ACTS = {
    "report": "Open the report",
    "report-pdf": "Open it as PDF",
    "save-report": "Save the report…",
    "save-pdf": "Save it as PDF…",
    "text": "Save as text…",
    "pdf": "Save as PDF…",
    "print": "Print…",
    "seal": "Seal it to an auditor…",
    "redact": "Redact it…",
}
"""What can be done with a pack that was checked."""
NARROW = 620
"""Pixels at scale 1.0 under which the buttons at the foot stand in two rows."""


class VerdictView(QFrame):
    """One verdict. `acted` gives a word of `ACTS` or "again", and the `CheckedPack`; `trust_asked`: choose a trust file; `compare_asked`:
    compare a signer's fingerprint."""

    acted = Signal(str, object)
    trust_asked = Signal()
    compare_asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        self.checked: CheckedPack | None = None
        self.seal = Seal(side=56)
        self.word = label("", type="verdict")
        self._name = label("", strong=True, wrap=True)
        self._means = label("", tone="secondary", wrap=True)
        head = row(self.seal, space=16, margins=(24, 20, 24, 18))
        head.setAlignment(self.seal, Qt.AlignmentFlag.AlignTop)
        head.addLayout(column(self.word, self._name, self._means, space=3), 1)
        self.notice = _Notice()
        self.notice.act.clicked.connect(self.trust_asked)
        self.notice.compare.clicked.connect(self._compare)
        self._checks = column(space=10)
        self._taken = column(space=4)
        self._taken_head = label("What was taken out", strong=True)
        self._signers = column(space=0)
        self._facts = label("", type="small", tone="secondary", wrap=True)
        self._facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._digest = Elided(middle=True, type="code", tone="secondary")
        self._below = QWidget()
        below = column(label("What was checked", strong=True), space=12)
        below.addLayout(self._checks)
        below.addWidget(line())
        below.addWidget(self._taken_head)
        below.addLayout(self._taken)
        self._taken_line = line()
        below.addWidget(self._taken_line)
        below.addWidget(label("Signed by", strong=True))
        below.addLayout(self._signers)
        below.addWidget(line())
        self._below.setLayout(below)
        body = column(self.notice, self._below, self._facts, self._digest, space=12, margins=(24, 16, 24, 20))
        body.addStretch(1)
        inside = QWidget()
        inside.setLayout(body)
        inside.setMaximumWidth(look().px(860))
        holder = QWidget()
        holder.setLayout(row(inside, space=0))
        holder.layout().setStretch(0, 1)
        holder.layout().addStretch(0)
        self.report = self._menu("Report", "file", ("report", "report-pdf", "save-report", "save-pdf"))
        self.keep = self._menu("Keep the verdict", "save", ("text", "pdf", "print"))
        self.on = self._menu("Hand it on", "send", ("seal", "redact"))
        self.again = button("Check again", "again", "quiet")
        self.again.clicked.connect(lambda: self.ask("again"))
        self._took = label("", type="small", tone="secondary")
        first, second = QWidget(), QWidget()
        first.setLayout(row(self.report, self.keep, self.on, None))
        second.setLayout(row(self.again, None, self._took))
        foot = frame("panel")
        self._foot = row(first, second, margins=(24, 12, 24, 12))
        self._foot.setStretch(1, 1)
        foot.setLayout(self._foot)
        layout = column(space=0)
        layout.addLayout(head)
        layout.addWidget(line())
        layout.addWidget(scrolled(holder), 1)
        layout.addWidget(line())
        layout.addWidget(foot)
        self.setLayout(layout)

    def show_pack(self, checked: CheckedPack) -> None:
        """Show a verdict, and say it aloud."""
        self.checked = checked
        verdict = checked.verdict
        self.seal.show_state(SEALS[verdict.verdict])
        self.word.setText(checked.word)
        restyle(self.word, tone=TONES[verdict.verdict])
        self._name.setText(checked.name)
        self._means.setText(meaning_of(checked))
        self.notice.show_pack(checked)
        clear(self._checks)
        for check in pack_words.ordered(verdict):
            self._checks.addWidget(_check_row(check, pack_words.detail_of(check, verdict)))
        self._show_taken(checked)
        clear(self._signers)
        for position, signature in enumerate(verdict.signatures):
            if position:
                self._signers.addWidget(line())
            self._signers.addWidget(_signer_row(signature))
        if not verdict.signatures:
            self._signers.addWidget(label("No signature could be read.", tone="secondary"))
        self._below.setVisible(checked.a_pack)
        self._facts.setText(_facts(checked))
        self._digest.say(f"sha256 {checked.sha256}" if checked.sha256 else "")
        refused = "" if verdict.verdict != "invalid" else f"{checked.word}: there is nothing in it to rely on."
        for act in (self.report, self.on):
            act.refuse(refused)
        self._took.setText(f"Checked in {checked.seconds:.1f} s")
        said = f"{checked.word}. {checked.name}. {meaning_of(checked)}"
        self.setAccessibleName(said)
        announce(self, said)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < look().px(NARROW)
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._foot.direction() is not way:
            self._foot.setDirection(way)

    def forget(self) -> None:
        """Keep nothing of what was shown."""
        self.checked = None
        for layout in (self._checks, self._taken, self._signers):
            clear(layout)

    def checks(self) -> tuple[str, ...]:
        """What each row of checks says."""
        return _names(self._checks)

    def signers(self) -> tuple[str, ...]:
        """What each row of signers says."""
        return _names(self._signers)

    def taken(self) -> tuple[str, ...]:
        """What each row of what was taken out says."""
        return _names(self._taken)

    def ask(self, act: str) -> None:
        """Do one of `ACTS`, as from its menu."""
        if self.checked is not None:
            self.acted.emit(act, self.checked)

    def _menu(self, text: str, icon: str, acts: Sequence[str]) -> Button:
        made = button(text, icon).with_caret()
        menu = QMenu(made)
        menu.setAccessibleName(text)
        for act in acts:
            menu.addAction(ACTS[act], self._asking(act))
        made.setMenu(menu)
        return made

    def _asking(self, act: str) -> Callable[[], None]:
        return lambda: self.ask(act)

    def _compare(self) -> None:
        if self.checked is not None:
            self.compare_asked.emit(self.checked)

    def _show_taken(self, checked: CheckedPack) -> None:
        verdict = checked.verdict
        clear(self._taken)
        for widget in (self._taken_head, self._taken_line):
            widget.setVisible(bool(verdict.withheld))
        if not verdict.withheld:
            return
        what, rests = pack_words.redaction_words(verdict)
        self._taken.addWidget(_said(what))
        for name, count in pack_words.withheld_rows(verdict.fields):
            self._taken.addWidget(fact_row(name, count))
        self._taken.addWidget(_said(rests))
        for name, count in pack_words.lost_rows(verdict.lost):
            self._taken.addWidget(fact_row(name, count))
        self._taken.addWidget(
            _said("Ask for the whole pack where you need what is missing. Its manifest has this SHA-256:")
        )
        self._taken.addWidget(Elided(verdict.redaction_of, middle=True, type="code", tone="secondary"))


class _Notice(QFrame):
    """Why a pack isn't valid, and what is left to do."""

    def __init__(self) -> None:
        super().__init__()
        self._title = label("", strong=True)
        self._next = label("What to do", strong=True)
        self._reasons, self._steps = column(space=4), column(space=4)
        self.compare = button("Compare fingerprint…", "fingerprint", "primary", small=True)
        self.act = button("Choose a trust file…", "folder-open", small=True)
        body = column(self._title, space=6, margins=(14, 12, 14, 12))
        body.addLayout(self._reasons)
        body.addWidget(self._next)
        body.addLayout(self._steps)
        self._acts = QWidget()
        self._acts.setLayout(row(self.compare, self.act, None))
        body.addWidget(self._acts)
        self.setLayout(body)
        self.setAccessibleName("Why, and what to do")

    def show_pack(self, checked: CheckedPack) -> None:
        verdict = checked.verdict
        self.setVisible(verdict.verdict != "valid")
        restyle(self, surface="failed" if verdict.verdict == "invalid" else "warned")
        reasons = pack_words.reasons_of(checked)
        self._title.setText("What is wrong" if verdict.verdict == "invalid" else "What couldn’t be checked")
        self._title.setVisible(bool(reasons))
        for layout, sentences in ((self._reasons, reasons), (self._steps, pack_words.to_do(checked))):
            clear(layout)
            for words in sentences:
                layout.addWidget(label(words, wrap=True))
        self._acts.setVisible(verdict.verdict == "incomplete")
        self.compare.setVisible(bool(pack_words.to_compare(checked)))
        self.act.become("normal" if pack_words.to_compare(checked) else "primary")

    def words(self) -> str:
        """All that it says."""
        layouts = (self._reasons, self._steps)
        return " ".join(
            widget.text() for layout in layouts for n in range(layout.count()) if (widget := layout.itemAt(n).widget())
        )


def fact_row(name: str, value: str) -> QWidget:
    """A name with a figure at the right."""
    made = QWidget()
    made.setLayout(row(label(name, tone="secondary"), None, label(value, tone="secondary")))
    made.setAccessibleName(f"{name}: {value}")
    return made


def _said(words: str) -> QWidget:
    made = label(words, tone="secondary", wrap=True)
    made.setAccessibleName(words)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def _facts(checked: CheckedPack) -> str:
    verdict = checked.verdict
    parts = [f"Made {pack_words.told_moment(verdict.made)}."] if verdict.made else []
    parts.append(pack_words.nonce_words(checked))
    parts.append(f"File {capped(Path(checked.path).name)}{'' if checked.sha256 else ', larger than a pack can be'}.")
    if checked.sealed is not None:
        parts.append(
            "It came sealed, and was opened in memory with the keys that it was sealed to; the SHA-256 is the pack’s within."
        )
    parts.append(
        f"Trust file: {checked.trust}. It is worth as much as the way by which you got it."
        if checked.trust
        else "Trust file: none."
    )
    if checked.a_pack:
        parts.append("The enclosed verify.py proves nothing by itself; this check used Assay’s own.")
    return " ".join(part for part in parts if part)


def _check_row(check: Check, detail: str) -> QWidget:
    glyph, tone = SIGNS[check.state]
    sign = IconLabel(glyph, tone, 16)
    text_tone = {"failed": "fail", "open": "warn"}.get(check.state, "primary")
    name = row(label(check.name, strong=True, tone=text_tone), space=8)
    name.addWidget(Elided(ASKS.get(check.name, ""), tone="tertiary"), 1)
    counted = check.count and check.name in UNITS
    name.addWidget(label(f"{check.count:,} {UNITS[check.name]}" if counted else "", tone="secondary"))
    words = column(space=1)
    words.addLayout(name)
    words.addWidget(label(detail, tone="secondary", wrap=True))
    layout = row(sign, space=12)
    layout.setAlignment(sign, Qt.AlignmentFlag.AlignTop)
    layout.addLayout(words, 1)
    made = QWidget()
    made.setLayout(layout)
    made.setAccessibleName(f"{check.name} {pack_words.HOLDS[check.state]}: {detail}")
    return made


def _signer_row(signature: SignatureCheck) -> QWidget:
    state = {"valid": SealState.SIGNED, "unknown": SealState.INCOMPLETE}.get(signature.status, SealState.BROKEN)
    ending = {"valid": "", "unknown": ", not confirmed"}.get(signature.status, ", doesn’t hold")
    seal = Seal(state, 26)
    card = label(fingerprint(signature.card), type="code", tone="secondary")
    card.setToolTip(f"Card {signature.card}")
    meaning = WORDS.get(signature.meaning, signature.meaning).lower()
    what = Elided(f"{capped(f'{meaning} {signature.subject}')}{ending}")
    name = row(label(capped(signature.name, 40), strong=True), space=6)
    name.addWidget(what, 1)
    name.addWidget(card)
    when = pack_words.told_moment(signature.time) + (
        f" · “{capped(signature.reason, 300)}”" if signature.reason else ""
    )
    words = column(space=1)
    words.addLayout(name)
    words.addWidget(label(when, type="small", tone="secondary", wrap=True))
    if signature.problem:
        tone = "warn" if signature.status == "unknown" else "fail"
        words.addWidget(label(sentence(signature.problem), type="small", tone=tone, wrap=True))
    layout = row(seal, space=12, margins=(0, 10, 0, 10))
    layout.setAlignment(seal, Qt.AlignmentFlag.AlignTop)
    layout.addLayout(words, 1)
    made = QWidget()
    made.setLayout(layout)
    made.setAccessibleName(f"{signature.name}, {meaning} {signature.subject}, {when}: {signature.status}")
    return made


def _names(layout: QLayout) -> tuple[str, ...]:
    found: Sequence[QWidget | None] = [layout.itemAt(position).widget() for position in range(layout.count())]
    return tuple(widget.accessibleName() for widget in found if widget is not None and widget.accessibleName())
