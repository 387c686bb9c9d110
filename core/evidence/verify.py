"""Judging a pack: bytes, a trust file and the present time in, a verdict out. No file, no clock, no network, no vault.

The rules, in the order in which they are checked:

1. The archive is in the one byte form (`zipform`), its files are those of the manifest, its records are what their digests say, and
   its openings fit their commitments (`opened`, `commitments`).
2. The figures follow from the outcomes, the verdict from the criteria, and the criteria from the spec (`recount`). The adapters that the
   run used, and the cards of its models, are those in the pack (`origins`). How far scorers and people agree follows from their marks (`people`).
3. Every earlier signature verifies, Ed25519 and ML-DSA-65, over a statement whose subject is in the pack. Keys come from the trust
   file; a signer who isn't in it is checked by the card in the pack and counts as unknown. A card must have been valid at the time of
   signing, the printed name and the user must be the card's, and nobody reviews or approves what they wrote, ran or signed as its author:
   people count, not cards. A card that the trust file calls revoked counts for what the log provably held before the revocation, whatever
   a clock said. What is provably later, or says so itself, is invalid; where neither is shown (a release is in no checkpoint yet), it stays
   open.
4. The release, meaning "released", covers the manifest's digest and speaks of the same log as the checkpoint.
5. The checkpoint is signed by the log's key in the trust file, and every record that was logged is named by an entry that the log
   provably holds, the spec before the run and the run before its result, and a training with its result, and a merge, before the run.

Any of these broken: invalid. All hold, but a signer or the log isn't in the trust file, a signature is dated after `at`, or one by a
revoked card isn't shown to be older than the revocation: incomplete. Otherwise: valid. A pack is parsed here, in process: the readers
are pure Python over bytes, with caps on size, number of entries and depth, and nothing is decompressed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

import msgspec

from core.errors import Damaged
from core.evidence import merges, origins, people
from core.evidence.memory import collecting_later
from core.evidence.opened import EXTRA, Entry, Opened, Row, take_apart
from core.evidence.records import Check, LostMetric, SignatureCheck, Verdict
from core.evidence.recount import Figures, recount
from core.evidence.withheld import fields, lost
from core.evidence.zipform import LARGEST
from core.jobs import Job
from core.records import Digest, Json
from core.trust import envelopes, statements
from core.trust.canonical import digest as digest_of
from core.trust.cards import Card, SignedCard, fingerprint, open_card
from core.trust.merkle import leaf_hash, verify_inclusion
from core.trust.notes import Checkpoint, read_checkpoint, verify_checkpoint
from core.trust.statements import Signing, Subject
from core.trust.times import parse_time
from core.trust.trustfile import TrustFile

LOGGED = (
    "spec",
    "dataset",
    "prompt-version",
    "signature",
    "run",
    "outcome",
    "run-result",
    *EXTRA,
    "mark",
    "merged-model",
)
"""Kinds whose every record must stand in the log."""


JUDGING = ("reviewed", "approved")
"""The meanings that only somebody else than an author may give."""


class Signed(msgspec.Struct, frozen=True):
    """What a signature's record repeats of its statement."""

    subject: Digest
    meaning: str
    user: str
    name: str
    time: str
    reason: str
    card: Digest
    envelope: str


class _Judged(NamedTuple):
    check: SignatureCheck
    signing: Signing
    reason: str
    """Why the pack isn't valid because of this signature, or ""."""


def verify(pack: BinaryIO, trust: TrustFile, at: datetime, job: Job | None = None) -> Verdict:
    """What can be said of a pack by somebody who trusts `trust`, at the time `at` (with an offset). `job` is told of the bytes that were
    read, and stops it: raises `Cancelled` then, and nothing else ever."""
    with collecting_later():
        return _verdict(pack.read(LARGEST + 1), trust, at, job or Job("Verify a pack"))


def _verdict(data: bytes, trust: TrustFile, at: datetime, job: Job) -> Verdict:
    try:
        opened = take_apart(data, _judged_by, job)
    except Damaged as problem:
        return Verdict(
            verdict="invalid",
            reasons=(str(problem),),
            checks=(Check(name="Contents", state="failed", detail=str(problem)),),
        )
    return _Examination(opened, trust, at, job).verdict()


def _judged_by(outcome: dict[str, Json]) -> dict[str, Json]:
    """What the rules look at of an outcome whose digest holds: not its texts, which would fill the memory."""
    needed = ("run", "sample", "variant", "answer", "scores", "author", "repetition")
    kept: dict[str, Json] = {name: outcome[name] for name in needed if name in outcome}
    if isinstance(kept.get("answer"), dict):
        kept["answer"] = {}
    if isinstance(scores := kept.get("scores"), list):
        kept["scores"] = [
            {name: score[name] for name in ("scorer", "value", "passed") if name in score}
            if isinstance(score, dict)
            else score
            for score in scores
        ]
    return kept


class _Examination:
    """One pack under examination; collects what fails, what stays open, and what was found."""

    def __init__(self, pack: Opened, trust: TrustFile, at: datetime, job: Job) -> None:
        self._pack = pack
        self._job = job
        self._trust = trust
        self._at = at
        self._trusted = trust.by_fingerprint()
        self._failed: list[str] = []
        self._open: list[str] = []
        self._checks: list[Check] = []
        self._broken: list[SignatureCheck] = []
        self._proven: tuple[str, Mapping[Digest, int]] = ("", {})
        """The origin of the log, and where it provably holds each record; nothing while its key isn't trusted."""
        self._nonce = ""
        self._own: dict[Digest, SignedCard] = {}
        """The pack's own cards, once one is needed."""

    def verdict(self) -> Verdict:
        pack = self._pack
        self._note("Contents", "ok", "All files match what was signed.", len(pack.contents))
        figures = self._figures()
        self._origins()
        self._people()
        self._job.check()
        checkpoint = self._history()
        signatures = self._signatures()
        self._release(signatures, checkpoint)
        self._order(figures, signatures)
        self._signature_check(signatures)
        missing = self._withheld(figures)
        return Verdict(
            verdict="invalid" if self._failed else "incomplete" if self._open else "valid",
            reasons=tuple(dict.fromkeys((*self._failed, *self._open))),
            signatures=(*(judged.check for judged in signatures), *self._broken),
            checks=tuple(self._checks),
            title=pack.manifest.title,
            made=pack.manifest.made,
            withheld=pack.withheld,
            fields=fields(pack.rows),
            lost=missing,
            redaction_of=pack.manifest_digest if pack.withheld else "",
            nonce=self._nonce,
        )

    def _withheld(self, figures: Figures | None) -> tuple[LostMetric, ...]:
        if not self._pack.withheld:
            self._note("Withheld", "ok", "Nothing.")
            return ()
        partly = sum(row.withheld > 0 for rows in self._pack.rows.values() for row in rows)
        missing = lost(self._pack.rows) if figures is not None else ()
        named = ", ".join(
            f"{metric.metric} of {metric.variant} ({metric.samples} of {metric.of})" for metric in missing
        )
        rest = (
            f"These scores stand as signed and can't be worked out again: {named}."
            if named
            else "No score rests on them."
        )
        self._note("Withheld", "attention", f"Fields of {partly} records were taken out. {rest}", self._pack.withheld)
        return missing

    def _figures(self) -> Figures | None:
        try:
            figures = recount(self._pack)
        except Damaged as problem:
            self._fail("Scores", str(problem))
            return None
        detail = f"Worked out again from {figures.outcomes} outcomes of {figures.samples} samples; the same."
        self._note("Scores", "ok", detail, figures.outcomes)
        return figures

    def _origins(self) -> None:
        try:
            trained = origins.check(self._pack)
        except Damaged as problem:
            self._fail("Adapters", str(problem))
            return
        if trained:
            away = origins.missing(self._pack.rows)
            rest = f" {away} of the sources they learned from are named by their digests alone." if away else ""
            said = f"The training that each came from is here, and was for the model that it is used with.{rest}"
            self._note("Adapters", "attention" if away else "ok", said, trained)
        merged = len(self._pack.rows.get(merges.KIND, ()))
        if merged:
            said = "Recorded before the run: which adapter is in which base, by their digests."
            self._note("Merged models", "ok", said, merged)

    def _people(self) -> None:
        marked = self._pack.marked
        if not marked.marks:
            return
        run = self._pack.one("run")
        outcomes: dict[Digest, Any] = {row.digest: row.record for row in self._pack.rows["outcome"]}
        scorers: Any = run.record.get("scorers")
        try:
            people.check(marked, run.digest, scorers, outcomes)
        except Damaged as problem:
            self._fail("People’s marks", str(problem))
            return
        said = "How far scorers and people agree was worked out again from the marks; the same."
        rest = "" if marked.open else " What people wrote beside them is withheld."
        self._note("People’s marks", "ok" if marked.open else "attention", said + rest, len(marked.marks))

    def _signatures(self) -> list[_Judged]:
        found: list[_Judged] = []
        known = {row.digest for rows in self._pack.rows.values() for row in rows}
        used = set()
        for row in self._pack.rows["signature"]:
            self._job.check()
            try:
                signed = msgspec.convert(row.record, Signed)
                envelope = signed.envelope.encode("utf-8")
                used.add(digest_of(envelope))
                judged, subjects = self._judge(envelope, row.digest)
                signing = judged.signing
                repeated = (signed.subject, signed.meaning, signed.name, signed.time, signed.reason, signed.card)
                said = (subjects[0].digest, signing.meaning, signing.name, signing.time, signing.reason, signing.card)
                if signed.user != self._card(signing.card, f"signature by {signed.name}").user:
                    raise Damaged(source=f"signature by {signed.name}", problem="names another user than its card.")
                if repeated != said:
                    raise Damaged(
                        source=f"signature by {signed.name}",
                        problem="its record says something else than its statement.",
                    )
                if signed.subject not in known:
                    raise Damaged(
                        source=f"signature by {signed.name}", problem="is on something that isn't in the pack."
                    )
                if any(subject.digest not in self._pack.envelopes for subject in subjects[1:]):
                    raise Damaged(
                        source=f"signature by {signed.name}", problem="rests on an envelope that isn't in the pack."
                    )
                found.append(self._segregated(judged, signed.subject))
            except (Damaged, msgspec.ValidationError) as problem:
                self._failed.append(str(problem))
                self._broken.append(_broken(row, str(problem)))
        if used != self._pack.envelopes.keys():
            self._failed.append("envelopes: not those of the signatures.")
        return found

    def _judge(self, envelope: bytes, logged: Digest | None = None) -> tuple[_Judged, tuple[Subject, ...]]:
        """Verify one envelope with the trusted card, or with the pack's own. Raises `Damaged` when it is broken.

        `logged` is the record that the log tells of it by.
        """
        read = envelopes.read(envelope)
        subjects, signing = statements.parse(read.payload)
        source = f"signature by {signing.name}"
        if read.keyid != signing.card:
            raise Damaged(source=source, problem="names two different cards.")
        trusted = self._trusted.get(signing.card)
        card = self._card(signing.card, source)
        envelopes.verify(envelope, card.keys)
        time = parse_time(signing.time, source)
        if not card.valid_at(time):
            raise Damaged(source=source, problem=f"made {signing.time}, when the card wasn't valid.")
        if card.name != signing.name:
            raise Damaged(source=source, problem=f"the card is {card.name}'s.")
        reason = ""
        if trusted is None:
            reason = f"{signing.name} (card {signing.card[:8]}) isn't in the trust file."
        elif time > self._at:
            reason = f"{signing.name} signed at {signing.time}, after the time of this check: compare the clocks."
        reason = self._revoked(signing, time, logged) or reason
        check = SignatureCheck(
            name=signing.name,
            meaning=signing.meaning,
            time=signing.time,
            subject=subjects[0].name,
            reason=signing.reason,
            card=signing.card,
            status="unknown" if reason else "valid",
            problem=reason,
        )
        return _Judged(check, signing, reason), subjects

    def _revoked(self, signing: Signing, time: datetime, logged: Digest | None) -> str:
        """What stays open because the signer's card was revoked, or "". Raises `Damaged` for a signature after the revocation."""
        ended = self._trust.revocation(signing.card)
        if ended is None:
            return ""
        origin, places = self._proven
        place = places.get(logged) if logged is not None and origin == ended.origin else None
        if place is not None and place < ended.size:
            return ""
        told = signing.log.origin == ended.origin and signing.log.size > ended.size
        if place is not None or told or time > parse_time(ended.time, "trust file"):
            raise Damaged(
                source=f"signature by {signing.name}", problem=f"made after the card was revoked on {ended.time}."
            )
        return (
            f"{signing.name}'s card was revoked on {ended.time}, and no checkpoint shows that this was signed before."
        )

    def _enclosed(self, wanted: Digest, source: str) -> Card:
        self._own = self._own or {fingerprint(signed): signed for signed in reversed(self._pack.cards)}
        if wanted not in self._own:
            raise Damaged(source=source, problem="its card is neither in the trust file nor in the pack.")
        return open_card(self._own[wanted])

    def _segregated(self, judged: _Judged, subject: Digest) -> _Judged:
        """Refuse a review or an approval by somebody who wrote the subject or signed as its author."""
        card = self._card(judged.signing.card, f"signature by {judged.signing.name}")
        if judged.signing.meaning in JUDGING and card.user in self._authors(subject):
            raise Damaged(
                source=f"signature by {card.name}", problem=f"is on their own work, as {judged.signing.meaning}."
            )
        return judged

    def _authors(self, subject: Digest) -> set[str]:
        rows = self._pack.rows
        wrote = {str(row.record.get("author")) for some in rows.values() for row in some if row.digest == subject}
        for kind, result in (("run", "run-result"), ("training-run", "training-result")):
            of = {subject, *(str(row.record.get("run")) for row in rows[result] if row.digest == subject)}
            wrote |= {str(row.record.get("user")) for row in rows[kind] if row.digest in of}
        wrote |= {str(row.record.get("by")) for row in rows.get(merges.KIND, ()) if row.digest == subject}
        for row in rows["signature"]:
            if row.record.get("subject") == subject and row.record.get("meaning") == "authored":
                wrote.add(self._card(Digest(str(row.record.get("card"))), "signature").user)
        return wrote

    def _card(self, wanted: Digest, source: str) -> Card:
        """The card of the trust file, or else the pack's own. Raises `Damaged` where there is neither."""
        return self._trusted.get(wanted) or self._enclosed(wanted, source)

    def _history(self) -> Checkpoint | None:
        pack = self._pack
        try:
            checkpoint = read_checkpoint(pack.checkpoint)
            key = self._trust.log(checkpoint.origin)
            if key is not None:
                verify_checkpoint(pack.checkpoint, key)
            for entry in pack.entries:
                self._job.check()
                verify_inclusion(entry.place, checkpoint.size, leaf_hash(entry.content), entry.proof, checkpoint.root)
                if entry.record.get("index") != entry.place:
                    raise Damaged(source="log", problem=f"entry {entry.place} stands elsewhere than it says.")
            logged = _logged(pack.entries)
            for kind in LOGGED:
                for row in pack.rows.get(kind, ()):
                    if row.digest not in logged:
                        raise Damaged(source="log", problem=f"no entry tells of {kind} {row.digest[:8]}.")
            spec, run, result = (logged[pack.one(kind).digest] for kind in ("spec", "run", "run-result"))
            if not spec < run < result:
                raise Damaged(source="log", problem="the spec, the run and its result were recorded in another order.")
            for made in pack.rows["training-result"]:
                if not logged.get(Digest(str(made.record.get("run"))), run) < logged[made.digest] < run:
                    raise Damaged(source="log", problem="a training was recorded after the run, or after its result.")
            if any(logged[merge.digest] >= run for merge in pack.rows.get(merges.KIND, ())):
                raise Damaged(source="log", problem="a merge was recorded after the run.")
            for mark in pack.rows.get("mark", ()):
                if not logged.get(Digest(str(mark.record.get("outcome"))), run) < logged[mark.digest]:
                    raise Damaged(source="log", problem="a mark was recorded before the answer that it is of.")
        except Damaged as problem:
            self._fail("History", str(problem))
            return None
        if key is None:
            self._open.append(f"the log {checkpoint.origin} isn't in the trust file.")
            self._note("History", "open", "The log that this comes from isn't in the trust file.", len(pack.entries))
        else:
            self._proven = checkpoint.origin, logged
            self._note(
                "History",
                "ok",
                f"In the log at entry {run}; checkpoint over {checkpoint.size} entries.",
                len(pack.entries),
            )
        return checkpoint

    def _release(self, signatures: list[_Judged], checkpoint: Checkpoint | None) -> None:
        try:
            judged, subjects = self._judge(self._pack.release)
            signing = judged.signing
            if subjects[0].digest != self._pack.manifest_digest or len(subjects) != 1:
                raise Damaged(source="release", problem="was signed over another manifest.")
            if signing.meaning != "released":
                raise Damaged(source="release", problem=f"was signed as {signing.meaning}, not as released.")
            state = signing.log
            if checkpoint is not None and (state.origin, state.size, state.root) != (
                checkpoint.origin,
                checkpoint.size,
                checkpoint.root.hex(),
            ):
                raise Damaged(source="release", problem="speaks of another state of the log than the checkpoint.")
            for earlier in signatures:
                if earlier.signing.log.origin != state.origin or earlier.signing.log.size > state.size:
                    raise Damaged(source="release", problem="an earlier signature speaks of another log.")
            self._nonce = signing.nonce
            signatures.append(judged)
        except Damaged as problem:
            self._failed.append(str(problem))

    def _order(self, figures: Figures | None, signatures: list[_Judged]) -> None:
        """Whether the criteria were approved before the run: for the auditor to know, whatever the verdict."""
        if figures is None:
            return
        logged = _logged(self._pack.entries)
        spec, run = self._pack.one("spec").digest, self._pack.one("run").digest
        before = [
            row
            for row in self._pack.rows["signature"]
            if row.record.get("subject") == spec and row.digest in logged and run in logged
        ]
        meanings = [row.record.get("meaning") for row in before if logged[row.digest] < logged[run]]
        if "approved" in meanings:
            self._note("Order of events", "ok", "The criteria were approved before the run began.", len(before))
        elif meanings:
            self._note(
                "Order of events",
                "attention",
                "The criteria were signed before the run began, but not approved.",
                len(before),
            )
        else:
            self._note(
                "Order of events", "attention", "Recorded before the run began, but nobody had signed the criteria.", 0
            )

    def _signature_check(self, signatures: list[_Judged]) -> None:
        people = len({self._card(judged.signing.card, "signature").user for judged in signatures})
        unknown = [judged for judged in signatures if judged.reason]
        self._open += [judged.reason for judged in unknown]
        expected = len(self._pack.rows["signature"]) + 1
        if len(signatures) != expected:
            self._note("Signatures", "failed", f"{expected - len(signatures)} of {expected} don't hold.", expected)
        elif unknown:
            self._note("Signatures", "open", f"{len(unknown)} of {expected} couldn't be confirmed.", expected)
        else:
            self._note("Signatures", "ok", f"{people} people, both algorithms each.", expected)

    def _fail(self, name: str, problem: str) -> None:
        self._failed.append(problem)
        self._note(name, "failed", problem)

    def _note(self, name: str, state: str, detail: str, count: int = 0) -> None:
        self._checks.append(msgspec.convert({"name": name, "state": state, "detail": detail, "count": count}, Check))


def _logged(entries: tuple[Entry, ...]) -> Mapping[Digest, int]:
    """Where in the log each record was first told of."""
    found: dict[Digest, int] = {}
    for entry in sorted(entries, key=lambda entry: entry.place):
        for digest in entry.objects:
            found.setdefault(digest, entry.place)
    return found


def _broken(row: Row, problem: str) -> SignatureCheck:
    """What a signature that doesn't hold says of itself; nothing of it is confirmed."""

    def said(name: str) -> str:
        return str(row.record.get(name, ""))

    return SignatureCheck(
        name=said("name"),
        meaning=said("meaning"),
        time=said("time"),
        subject=said("subject_name"),
        reason=said("reason"),
        card=Digest(said("card")),
        status="invalid",
        problem=problem,
    )
