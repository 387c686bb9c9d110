"""A pack that was checked, and its verdict in words for somebody who knows no cryptography. No widgets.

The verdict is the core's; here are its words and their order: the verdict itself, what it means for the reader, what was checked, what was
taken out, who signed, and what is left to do. A pack is read and judged off the UI thread.
"""

import hashlib
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.pages.evaluation_matrix import SCORERS
from app.pages.signatures import exact_moment
from core.errors import BadInput
from core.evidence import zipform
from core.evidence.asked import with_nonce
from core.evidence.records import Check, LostMetric, SignatureCheck, Verdict, WithheldField
from core.evidence.verify import verify
from core.jobs import Job, Progress
from core.records import Digest
from core.trust.cards import grouped
from core.trust.trustfile import TrustFile
from core.trust.visible import visible

NOBODY = TrustFile(cards=(), logs=(), made="")
ORDER = ("Contents", "Signatures", "Order of events", "History", "Scores", "Adapters", "Made for you", "Withheld")
HOLDS = {
    "ok": "holds",
    "attention": "holds, with something to know",
    "open": "couldn’t be checked",
    "failed": "doesn’t hold",
}
ALTERED = (
    "At least one byte of this file isn’t as it was when the pack was made. It was damaged on its way, or changed."
)
NO_PACK = "This file isn’t an evidence pack, whatever it is called. Nothing in it was signed as one."
LOST = "These scores stand as signed, and can’t be worked out again from what is left:"
_MARKS = (b"PK\x03\x04", b"manifest.json", b"release.json")
"""What a file holds that is, or once was, a pack."""
FIELDS = {
    "dataset samples.input": "Questions in the dataset",
    "dataset samples.target": "Wanted answers",
    "dataset samples.targets": "Further wanted answers",
    "dataset samples.choices": "Choices to answer with",
    "dataset samples.passages": "Passages given with the questions",
    "dataset samples.metadata": "Notes on the samples",
    "dataset samples.answer": "Reference answers in the dataset",
    "dataset samples.document": "Names of the documents that answer",
    "dataset samples.quote": "Quotes that answer",
    "dataset samples.turns": "Conversations before the questions",
    "dataset samples.chosen": "Answers that were preferred",
    "dataset samples.rejected": "Answers that were not preferred",
    "dataset samples.group": "What keeps samples together",
    "dataset samples.origin": "Where samples come from",
    "prompt-version messages.content": "Texts of prompts",
    "prompt-version notes": "Notes on prompt versions",
    "outcome answer.question": "Questions as asked",
    "outcome answer.answer": "Answers",
    "outcome answer.rendered": "Whole prompts as sent",
    "outcome answer.tokens": "Lengths of answers",
    "outcome answer.prompt_tokens": "Lengths of prompts",
    "outcome answer.sentences": "Counts of sentences",
    "outcome answer.unsupported": "Counts of sentences without support",
    "outcome answer.best_score": "Nearness of the best passage",
    "outcome answer.citations": "Citations",
    "outcome answer.passages": "Passages shown to the model",
    "outcome scores.reason": "Reasons of scores",
    "outcome error": "Error messages",
    "document name": "Names of documents",
    "document title": "Titles of documents",
    "document collection": "Names of collections",
    "model path": "Places of model files",
    "training-data samples.input": "Questions that adapters learned from",
    "training-data samples.target": "Wanted answers that adapters learned from",
    "training-data samples.targets": "Further wanted answers that adapters learned from",
    "training-data samples.choices": "Choices that adapters learned from",
    "training-data samples.passages": "Passages that adapters learned from",
    "training-data samples.metadata": "Notes on what adapters learned from",
    "training-data samples.answer": "Answers that adapters learned from",
    "training-data samples.document": "Names of documents that adapters learned from",
    "training-data samples.quote": "Quotes that adapters learned from",
    "training-data samples.turns": "Conversations that adapters learned from",
    "training-data samples.chosen": "Preferred answers that adapters learned from",
    "training-data samples.rejected": "Answers not preferred that adapters learned from",
    "training-data samples.group": "What keeps samples together that adapters learned from",
    "training-data samples.origin": "Where samples come from that adapters learned from",
    "training-run folder": "Folders of base models",
    "training-run spec.folder": "Folders of base models, as asked for",
    "training-run spec.data.file": "Files that adapters learned from, as asked for",
    "training-run spec.data.system": "System texts of trainings",
    "training-run spec.evaluation.file": "Files that adapters were compared on",
    "training-run spec.evaluation.system": "System texts of comparisons",
    "training-run sources.reference": "Names of what adapters learned from",
    "training-run left_out": "Examples that couldn’t be learned",
}
"""Every field that can be withheld, in words."""


@dataclass(frozen=True)
class CheckedPack:
    """A pack that was checked: where it is, the verdict, against which trust file, when, and how long that took."""

    path: str
    verdict: Verdict
    trust: str
    """What the trust file is called; empty when there was none."""
    sha256: str
    """Of the whole file; empty where it is larger than a pack can be."""
    at: datetime
    seconds: float
    a_pack: bool = True
    """Whether it is, or once was, a pack at all."""
    asked: str = ""
    """The nonce that it should hold."""
    sealed: bytes | None = None
    """The pack itself, where it came sealed: it was opened in memory and lies nowhere in clear."""

    @property
    def name(self) -> str:
        return capped(self.verdict.title or Path(self.path).name)

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return self.verdict.verdict.capitalize() if self.a_pack else "Not a pack"


def clock() -> datetime:
    """The time of a check."""
    return datetime.now(UTC)


def read_file(path: Path, largest: int) -> bytes:
    """The file, one byte more than `largest` at most. Raises `BadInput`."""
    if path.is_dir():
        raise BadInput(source=path.name, problem="this is a folder. Choose the file in it.")
    if not path.is_file():
        raise BadInput(source=path.name, problem="there is no such file. Choose it again.")
    try:
        with path.open("rb") as stream:
            return stream.read(largest + 1)
    except OSError as error:
        raise BadInput(source=path.name, problem=f"it can’t be read ({error.strerror}).") from error


def check_pack(path: Path, trust: TrustFile, trust_name: str, job: Job, nonce: str = "") -> CheckedPack:
    """Read a pack and judge it. Raises `BadInput` when it can't be read."""
    return judge(path, read_file(path, zipform.LARGEST), trust, trust_name, job, nonce)


def share_of(progress: Progress) -> str:
    """How much of a pack has been read: "40 % read"; "" for other progress."""
    if progress.unit != "bytes" or not progress.total:
        return ""
    return f"{100 * progress.done // progress.total} % read"


def judge(
    path: Path, data: bytes, trust: TrustFile, trust_name: str, job: Job, nonce: str = "", sealed: bool = False
) -> CheckedPack:
    """Judge a pack's bytes. Raises `Cancelled` as soon as the job is stopped."""
    started = time.monotonic()
    job.check()
    at = clock()
    a_pack = all(mark in data for mark in _MARKS)
    verdict = verify(io.BytesIO(data), trust, at, job)
    job.check()
    return CheckedPack(
        path=str(path),
        verdict=with_nonce(verdict, nonce) if a_pack else verdict,
        trust=trust_name,
        sha256=hashlib.sha256(data).hexdigest() if len(data) <= zipform.LARGEST else "",
        at=at,
        seconds=time.monotonic() - started,
        a_pack=a_pack,
        asked=nonce,
        sealed=data if sealed else None,
    )


def meaning_of(checked: CheckedPack) -> str:
    """What a verdict means for whoever reads it."""
    verdict = checked.verdict
    if verdict.verdict == "valid":
        rest = " Parts were taken out after it was signed; they are named below." if verdict.withheld else ""
        genuine = "Nothing in it was changed, and everybody who signed it is in your trust file."
        return f"{genuine}{rest} How good the results are stands in the report."
    if not checked.a_pack:
        return NO_PACK
    if verdict.verdict == "invalid":
        if _asked_only(verdict):
            return "It isn’t the pack that you asked for: it doesn’t hold your nonce. Don’t rely on this pack."
        return "It isn’t what was signed. Don’t rely on this pack."
    strangers = unknown(verdict)
    if not checked.trust:
        return "Nothing in it was changed, but without a trust file nobody’s signature can be confirmed. Don’t rely on it yet."
    if len(strangers) == 1:
        return f"Nothing in it was changed, but {capped(strangers[0].name, 40)} isn’t confirmed by your trust file. Don’t rely on it yet."
    if strangers:
        return f"Nothing in it was changed, but {len(strangers)} people aren’t confirmed by your trust file. Don’t rely on it yet."
    return "Nothing in it was changed, but something couldn’t be checked. Don’t rely on it yet."


def reasons_of(checked: CheckedPack) -> tuple[str, ...]:
    """Why it isn't valid, a sentence each; none where the steps to do say it already."""
    verdict = checked.verdict
    if not checked.a_pack:
        return ()
    if verdict.verdict == "invalid":
        if any(reason.startswith("pack: its bytes") for reason in verdict.reasons):
            return (ALTERED,)
        return tuple(map(sentence, verdict.reasons))
    strangers = bool(unknown(verdict))
    return () if strangers or not checked.trust else tuple(map(sentence, verdict.reasons))


def to_do(checked: CheckedPack) -> tuple[str, ...]:
    """What is left to do before the pack can be relied on, one sentence each."""
    verdict = checked.verdict
    if verdict.verdict == "valid":
        return ()
    if not checked.a_pack:
        return (
            "Choose the file that you were given as the pack; its name often ends in .pack.",
            "If this is that file, ask for it again: it was cut short, or something else was sent.",
        )
    if _asked_only(verdict):
        return (
            f"Compare “{checked.asked}” with the nonce that you gave, letter by letter.",
            "If it is the right one, ask for a pack that was made for it: this one may be older.",
        )
    if verdict.verdict == "invalid":
        return (
            "Keep this file as it is, and ask for the pack again, by another way.",
            "If the new one is invalid too, tell whoever sent it what stands here.",
        )
    if not checked.trust:
        return (
            "Choose the trust file that you were given, by another way than this pack, and check again. "
            "If you have none, ask whoever sent the pack for their “trust file”.",
        )
    steps = [_step(signer) for signer in unknown(verdict)]
    if any("log " in reason for reason in verdict.reasons):
        steps.append("Ask for a trust file that names the log of this vault, and check again.")
    return tuple(steps) or ("Ask whoever sent the pack what couldn’t be checked.",)


def _asked_only(verdict: Verdict) -> bool:
    """Whether nothing is wrong but that it isn't the pack that was asked for."""
    return {check.name for check in verdict.checks if check.state == "failed"} == {"Made for you"}


def _step(signer: SignatureCheck) -> str:
    name = capped(signer.name, 40)
    if "revoked" in signer.problem:
        return (
            f"{name}’s card was withdrawn. Ask their team for a newer pack, whose log shows that it was signed before, "
            "or for a signature by somebody else."
        )
    if "compare the clocks" in signer.problem:
        return "Compare this machine’s clock with that of whoever signed, and check again."
    return (
        f"Ask {name} by a way you trust, for example on a telephone number that you know, to read out their card’s "
        f"fingerprint ({fingerprint(signer.card)}). If it is the same, add the card to your trust file."
    )


def fingerprint(card: str) -> str:
    """The first and last digits of a card's fingerprint, in groups."""
    return f"{card[:4]} {card[4:8]} … {card[-8:-4]} {card[-4:]}"


def told_moment(text: str) -> str:
    """A time as a pack tells it; as it stands where it is none."""
    try:
        return exact_moment(text)
    except ValueError:
        return capped(text)


def capped(text: str, longest: int = 80) -> str:
    """A text from a pack on one line, cut where it would burst the page; what can't be seen or would deceive is named in brackets."""
    plain = visible(" ".join(text.split()))
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def sentence(text: str) -> str:
    """The same with a capital, unless it begins with the name of a file."""
    first = text.split(" ", 1)[0].rstrip(":")
    return text if "/" in first or "." in first else text[:1].upper() + text[1:]


def unknown(verdict: Verdict) -> list[SignatureCheck]:
    """The signers who couldn't be confirmed, each once."""
    found: dict[str, SignatureCheck] = {}
    for signature in verdict.signatures:
        if signature.status == "unknown":
            found.setdefault(signature.card, signature)
    return list(found.values())


def to_compare(checked: CheckedPack) -> tuple[Digest, ...]:
    """The cards that aren't in the trust file, and could be added once their fingerprints were compared."""
    if not checked.trust or checked.verdict.verdict != "incomplete":
        return ()
    return tuple(one.card for one in unknown(checked.verdict) if "isn't in the trust file" in one.problem)


def ordered(verdict: Verdict) -> list[Check]:
    return sorted(verdict.checks, key=lambda c: ORDER.index(c.name) if c.name in ORDER else len(ORDER))


def field_words(field: str) -> str:
    """A field's name in words."""
    return FIELDS.get(field, field)


def withheld_rows(fields: Sequence[WithheldField]) -> tuple[tuple[str, str], ...]:
    """Each withheld field in words, and how many."""
    return tuple((field_words(field.field), f"{field.count:,}") for field in fields)


def lost_rows(metrics: Sequence[LostMetric]) -> tuple[tuple[str, str], ...]:
    """Each figure that rests on what is withheld, and how many of its scores do."""
    return tuple(
        (f"{SCORERS.get(m.metric, m.metric)}, {m.variant}", f"{m.samples:,} of {m.of:,} scores") for m in metrics
    )


def detail_of(check: Check, verdict: Verdict) -> str:
    """What was found, in a sentence; what was taken out is told by itself, further down."""
    if check.name == "Withheld" and verdict.withheld:
        rests = (
            "Some scores can’t be worked out again" if verdict.lost else "Every score could still be worked out again"
        )
        return f"Parts were taken out after it was signed; they are named below. {rests}."
    return sentence(check.detail)


def redaction_words(verdict: Verdict) -> tuple[str, ...]:
    """What a redacted pack is, in sentences; none where nothing was taken out."""
    if not verdict.withheld:
        return ()
    rests = LOST if verdict.lost else "Every score could still be worked out again."
    return (
        f"{verdict.withheld:,} fields were taken out after it was signed. Whoever took them out couldn’t change anything else: "
        "what is left is as it was signed, and criteria, counts and scores can’t be taken out.",
        rests,
    )


def nonce_words(checked: CheckedPack) -> str:
    """What is to be known of the nonce; empty where there is none."""
    held = checked.verdict.nonce
    if checked.asked or not held:
        return ""
    return f"The release holds the nonce “{held}”. Whoever asked for it can tell that this pack was made for them."


def verdict_text(checked: CheckedPack) -> str:
    """A verdict as a text to keep."""
    return "\n".join(words for _, words in verdict_lines(checked)) + "\n"


def verdict_lines(checked: CheckedPack) -> tuple[tuple[str, str], ...]:
    """A verdict line by line, each as ("title" | "heading" | "", words)."""
    verdict = checked.verdict
    lines = [
        ("title", f"{checked.word.upper()}: {checked.name}"),
        ("", meaning_of(checked)),
        ("", ""),
        ("", f"File: {Path(checked.path).name}"),
        ("", f"SHA-256: {checked.sha256 or 'not worked out: the file is larger than a pack can be'}"),
        ("", f"Trust file: {checked.trust or 'none'}"),
        ("", f"Checked: {checked.at.astimezone().isoformat(timespec='seconds')}"),
    ]
    if checked.sealed is not None:
        lines.append(
            (
                "",
                "It came sealed, and was opened with the keys that it was sealed to. The SHA-256 is the pack’s within.",
            )
        )
    if nonce_words(checked):
        lines.append(("", nonce_words(checked)))

    def part(heading: str, words: Sequence[str]) -> None:
        if words:
            lines.extend([("", ""), ("heading", f"{heading}:"), *(("", f"- {one}") for one in words)])

    part("Why", reasons_of(checked) or tuple(map(sentence, verdict.reasons)))
    part("What to do", to_do(checked))
    part("What was checked", [f"{c.name}: {HOLDS[c.state]}. {detail_of(c, verdict)}" for c in ordered(verdict)])
    taken = [f"{name}: {count}" for name, count in withheld_rows(verdict.fields)]
    rests = [f"{name}: {count}" for name, count in lost_rows(verdict.lost)]
    part("What was taken out", (*redaction_words(verdict)[:1], *taken, *redaction_words(verdict)[1:], *rests))
    if verdict.redaction_of:
        lines.append(("", f"- It is a redaction of the pack whose manifest has the SHA-256 {verdict.redaction_of}"))
    part(
        "Signed by",
        [
            f"{s.name}, {s.meaning}, {s.time}, {s.subject}{f', “{s.reason}”' if s.reason else ''}: {s.status}; card {grouped(s.card)}"
            for s in verdict.signatures
        ],
    )
    return tuple(lines)
