"""Checking a pack, and its verdict as a page that somebody reads who knows no cryptography.

The verdict is the core's; here are its words and its order: the verdict itself, what it means for the reader, what was checked, who
signed, and what is left to do. A pack is read and judged off the UI thread.
"""

import hashlib
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QLayout, QWidget

from app.pages.page import scrolled
from app.pages.signatures import WORDS, exact_moment
from app.theme.look import look
from app.widgets.basic import IconLabel, clear, column, frame, label, line, row
from app.widgets.buttons import button
from app.widgets.seal import Seal, SealState
from core.errors import BadInput
from core.evidence import zipform
from core.evidence.opened import REPORT
from core.evidence.records import Check, SignatureCheck, Verdict
from core.evidence.verify import verify
from core.jobs import Job
from core.trust.trustfile import TrustFile

SEALS = {"valid": SealState.VALID, "incomplete": SealState.INCOMPLETE, "invalid": SealState.BROKEN}
TONES = {"valid": "pass", "incomplete": "warn", "invalid": "fail"}
ORDER = ("Contents", "Signatures", "Order of events", "History", "Scores", "Withheld")
ASKS = {
    "Contents": "Is anything missing or altered?",
    "Signatures": "Did these people sign exactly this?",
    "Order of events": "Were the criteria fixed before the run?",
    "History": "Does the record of events hold together?",
    "Scores": "Do the figures follow from the answers?",
    "Withheld": "Was anything taken out?",
}
"""What each check answers, for a reader who doesn't know how."""
SIGNS = {
    "ok": ("check", "pass.fg", "holds"),
    "attention": ("minus", "text.secondary", "holds, with something to know"),
    "open": ("alert", "warn.fg", "couldn’t be checked"),
    "failed": ("cross", "fail.fg", "doesn’t hold"),
}
NOBODY = TrustFile(cards=(), logs=(), made="")


@dataclass(frozen=True)
class CheckedPack:
    """A pack that was checked: where it is, the verdict, against which trust file, when, and how long that took."""

    path: str
    verdict: Verdict
    trust: str
    """What the trust file is called; empty when there was none."""
    sha256: str
    at: datetime
    seconds: float

    @property
    def name(self) -> str:
        return self.verdict.title or Path(self.path).name


def check_pack(path: Path, trust: TrustFile, trust_name: str, job: Job) -> CheckedPack:
    """Read a pack and judge it. Raises `BadInput` when it can't be read."""
    started = time.monotonic()
    if not path.is_file():
        raise BadInput(source=path.name, problem="there is no such file. Choose the pack again.")
    try:
        with path.open("rb") as stream:
            data = stream.read(zipform.LARGEST + 1)
    except OSError as error:
        raise BadInput(source=path.name, problem=f"it can’t be read ({error.strerror}).") from error
    job.check()
    at = datetime.now(UTC)
    verdict = verify(io.BytesIO(data), trust, at)
    return CheckedPack(
        path=str(path),
        verdict=verdict,
        trust=trust_name,
        sha256=hashlib.sha256(data).hexdigest(),
        at=at,
        seconds=time.monotonic() - started,
    )


def report_of(path: Path) -> bytes:
    """The report that lies in a pack. Raises `Damaged`, and `BadInput` when it was taken out."""
    entries = zipform.read(path.read_bytes())
    if REPORT not in entries:
        raise BadInput(source=path.name, problem="its report was taken out when content was withheld.")
    return entries[REPORT]


def meaning_of(checked: CheckedPack) -> str:
    """What a verdict means for whoever reads it."""
    verdict = checked.verdict
    if verdict.verdict == "valid":
        return "Nothing in it was changed, and everybody who signed it is in your trust file."
    if verdict.verdict == "invalid":
        return "It isn’t what was signed. Don’t rely on this pack."
    unknown = _unknown(verdict)
    if not checked.trust:
        return "Nothing in it was changed, but without a trust file nobody’s signature can be confirmed. Don’t rely on it yet."
    if len(unknown) == 1:
        return f"Nothing in it was changed, but {unknown[0].name} isn’t in your trust file. Don’t rely on it yet."
    if unknown:
        return f"Nothing in it was changed, but {len(unknown)} people aren’t in your trust file. Don’t rely on it yet."
    return "Nothing in it was changed, but something couldn’t be checked. Don’t rely on it yet."


def to_do(checked: CheckedPack) -> tuple[str, ...]:
    """What is left to do before the pack can be relied on, one sentence each."""
    verdict = checked.verdict
    if verdict.verdict == "valid":
        return ()
    if verdict.verdict == "invalid":
        return (
            "Keep this file as it is, and ask for the pack again, by another way.",
            "If the new one is invalid too, tell whoever sent it what stands here.",
        )
    if not checked.trust:
        return ("Choose the trust file that you were given, by another way than this pack, and check again.",)
    steps = [
        f"Get {signer.name}’s card from their team by a way you trust, compare its fingerprint ({fingerprint(signer.card)}), "
        "take the trust file that holds it, and check again."
        for signer in _unknown(verdict)
    ]
    if any("log " in reason for reason in verdict.reasons):
        steps.append("Ask for a trust file that names the log of this vault, and check again.")
    if any("after the time of this check" in reason for reason in verdict.reasons):
        steps.append("Compare this machine’s clock with that of whoever signed, and check again.")
    return tuple(steps) or ("Ask whoever sent the pack what couldn’t be checked.",)


def fingerprint(card: str) -> str:
    """The first and last digits of a card's fingerprint, in groups."""
    return f"{card[:4]} {card[4:8]} … {card[-8:-4]} {card[-4:]}"


def verdict_text(checked: CheckedPack) -> str:
    """A verdict as a text to keep."""
    verdict = checked.verdict
    lines = [
        f"{verdict.verdict.upper()}: {checked.name}",
        meaning_of(checked),
        "",
        f"File: {Path(checked.path).name}",
        f"SHA-256: {checked.sha256}",
        f"Trust file: {checked.trust or 'none'}",
        f"Checked: {checked.at.astimezone().isoformat(timespec='seconds')}",
    ]
    if verdict.reasons:
        lines += ["", "Why:", *(f"- {sentence(reason)}" for reason in verdict.reasons)]
    lines += ["", "What was checked:", *(f"- {c.name}: {SIGNS[c.state][2]}. {c.detail}" for c in _ordered(verdict))]
    if verdict.signatures:
        lines += ["", "Signed by:"]
    lines += [
        f"- {s.name}, {s.meaning}, {s.time}, {s.subject}{f', “{s.reason}”' if s.reason else ''}: {s.status}; card {s.card}"
        for s in verdict.signatures
    ]
    return "\n".join(lines) + "\n"


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _unknown(verdict: Verdict) -> list[SignatureCheck]:
    """The signers who couldn't be confirmed, each once."""
    found: dict[str, SignatureCheck] = {}
    for signature in verdict.signatures:
        if signature.status == "unknown":
            found.setdefault(signature.card, signature)
    return list(found.values())


def _ordered(verdict: Verdict) -> list[Check]:
    return sorted(verdict.checks, key=lambda c: ORDER.index(c.name) if c.name in ORDER else len(ORDER))


class VerdictView(QFrame):
    """One verdict. `again_asked`, `report_asked` and `save_asked` give the `CheckedPack`; `trust_asked`: choose a trust file."""

    again_asked = Signal(object)
    report_asked = Signal(object)
    save_asked = Signal(object)
    trust_asked = Signal()

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
        self._checks = column(space=10)
        self._signers = column(space=0)
        self._facts = label("", type="small", tone="secondary", wrap=True)
        self._facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        body = column(self.notice, label("What was checked", strong=True), space=12, margins=(24, 16, 24, 20))
        body.addLayout(self._checks)
        body.addWidget(line())
        body.addWidget(label("Signed by", strong=True))
        body.addLayout(self._signers)
        body.addWidget(line())
        body.addWidget(self._facts)
        body.addStretch(1)
        inside = QWidget()
        inside.setLayout(body)
        inside.setMaximumWidth(look().px(860))
        holder = QWidget()
        holder.setLayout(row(inside, space=0))
        holder.layout().setStretch(0, 1)
        holder.layout().addStretch(0)
        self.report = button("Save the report…", "file")
        self.report.clicked.connect(lambda: self._ask(self.report_asked))
        self.save = button("Save the verdict…", "save", "quiet")
        self.save.clicked.connect(lambda: self._ask(self.save_asked))
        self.again = button("Check again", "again", "quiet")
        self.again.clicked.connect(lambda: self._ask(self.again_asked))
        self._took = label("", type="small", tone="secondary")
        foot = frame("panel")
        foot.setLayout(row(self.report, self.save, self.again, None, self._took, margins=(24, 12, 24, 12)))
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
        self.word.setText(verdict.verdict.capitalize())
        self.word.setProperty("tone", TONES[verdict.verdict])
        self.word.style().polish(self.word)
        self._name.setText(checked.name)
        self._means.setText(meaning_of(checked))
        self.notice.show_pack(checked)
        clear(self._checks)
        for check in _ordered(verdict):
            self._checks.addWidget(_check_row(check))
        clear(self._signers)
        for position, signature in enumerate(verdict.signatures):
            if position:
                self._signers.addWidget(line())
            self._signers.addWidget(_signer_row(signature))
        if not verdict.signatures:
            self._signers.addWidget(label("No signature could be read.", tone="secondary"))
        made = f"Made {exact_moment(verdict.made)}. " if verdict.made else ""
        self._facts.setText(
            f"{made}File {Path(checked.path).name}, SHA-256 {checked.sha256}. "
            f"Trust file: {checked.trust or 'none'}. The enclosed verify.py proves nothing by itself; this check used Assay’s own."
        )
        self.report.refuse("There is no report to rely on in an invalid pack." if verdict.verdict == "invalid" else "")
        self._took.setText(f"Checked in {checked.seconds:.1f} s")
        said = f"{verdict.verdict.capitalize()}. {checked.name}. {meaning_of(checked)}"
        self.setAccessibleName(said)
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, said))

    def checks(self) -> tuple[str, ...]:
        """What each row of checks says."""
        return _names(self._checks)

    def signers(self) -> tuple[str, ...]:
        """What each row of signers says."""
        return _names(self._signers)

    def _ask(self, way: SignalInstance) -> None:
        if self.checked is not None:
            way.emit(self.checked)


class _Notice(QFrame):
    """Why a pack isn't valid, and what is left to do."""

    def __init__(self) -> None:
        super().__init__()
        self._title = label("", strong=True)
        self._reasons, self._steps = column(space=4), column(space=4)
        self.act = button("Choose a trust file…", "fingerprint", small=True)
        body = column(self._title, space=6, margins=(14, 12, 14, 12))
        body.addLayout(self._reasons)
        body.addLayout(self._steps)
        body.addLayout(row(self.act, None))
        self.setLayout(body)
        self.setAccessibleName("Why, and what to do")

    def show_pack(self, checked: CheckedPack) -> None:
        verdict = checked.verdict
        self.setVisible(verdict.verdict != "valid")
        self.setProperty("surface", "failed" if verdict.verdict == "invalid" else "warned")
        self.style().polish(self)
        self._title.setText("What is wrong" if verdict.verdict == "invalid" else "To finish")
        clear(self._reasons)
        clear(self._steps)
        if verdict.verdict == "invalid" or not _unknown(verdict):
            for reason in verdict.reasons:
                self._reasons.addWidget(label(sentence(reason), wrap=True))
        for step in to_do(checked):
            self._steps.addWidget(label(step, tone="primary", wrap=True))
        self.act.setVisible(verdict.verdict == "incomplete")

    def words(self) -> str:
        """All that it says."""
        layouts = (self._reasons, self._steps)
        return " ".join(
            widget.text() for layout in layouts for n in range(layout.count()) if (widget := layout.itemAt(n).widget())
        )


def _check_row(check: Check) -> QWidget:
    glyph, tone, word = SIGNS[check.state]
    sign = IconLabel(glyph, tone, 16)
    text_tone = {"failed": "fail", "open": "warn"}.get(check.state, "primary")
    name = row(
        label(check.name, strong=True, tone=text_tone),
        label(ASKS.get(check.name, ""), tone="tertiary"),
        None,
        label(f"{check.count:,}" if check.count else "", tone="secondary"),
        space=8,
    )
    words = column(space=1)
    words.addLayout(name)
    words.addWidget(label(sentence(check.detail), tone="secondary", wrap=True))
    layout = row(sign, space=12)
    layout.setAlignment(sign, Qt.AlignmentFlag.AlignTop)
    layout.addLayout(words, 1)
    made = QWidget()
    made.setLayout(layout)
    made.setAccessibleName(f"{check.name} {word}: {check.detail}")
    return made


def _signer_row(signature: SignatureCheck) -> QWidget:
    state = {"valid": SealState.SIGNED, "unknown": SealState.INCOMPLETE}.get(signature.status, SealState.BROKEN)
    ending = {"valid": "", "unknown": ", not confirmed"}.get(signature.status, ", doesn’t hold")
    seal = Seal(state, 26)
    card = label(fingerprint(signature.card), type="code", tone="secondary")
    card.setToolTip(f"Card {signature.card}")
    meaning = WORDS.get(signature.meaning, signature.meaning).lower()
    name = row(label(signature.name, strong=True), label(f"{meaning} {signature.subject}{ending}"), None, card, space=6)
    when = exact_moment(signature.time) + (f" · “{signature.reason}”" if signature.reason else "")
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
