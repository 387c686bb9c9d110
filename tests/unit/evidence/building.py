"""A small pack made by hand, without vault or evaluation: two samples, two variants, three people."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from core.evals.records import (
    Criterion,
    CriterionResult,
    Environment,
    Metric,
    Outcome,
    Run,
    RunResult,
    Score,
    Settings,
    Spec,
    SpecVersion,
    Variant,
    VariantResult,
)
from core.evals.statistics import wilson
from core.evals.summary import differences, judge
from core.evidence.packing import Prepared, finish, prepare
from core.evidence.records import Logged, PackContent, Stored
from core.inference.records import AdapterUse
from core.records import Digest, Json, Record
from core.trust import envelopes, statements
from core.trust.canonical import canonical, record_bytes
from core.trust.canonical import digest as digest_of
from core.trust.cards import Card, SignedCard, fingerprint, issue
from core.trust.keys import SigningKeys
from core.trust.merkle import Tree, leaf_hash
from core.trust.notes import log_key, new_log_key, read_checkpoint, sign_checkpoint
from core.trust.trustfile import TrustFile
from tests.unit.evidence import trained

ORIGIN = "assay/vault/test"
TIME = "2026-11-21T10:00:00+01:00"
LATER = "2026-11-21T11:00:00+01:00"
CONTENT_TITLE = "safety@1, run-1"
VERIFIER, GUIDE = b"print('verifier')\n", b"# How to verify\n"


class Document(Record, frozen=True, kw_only=True, tag="document"):
    name: str
    content: str
    title: str
    collection: str


class Model(Record, frozen=True, kw_only=True, tag="model"):
    name: str
    digest: str
    path: str
    architecture: str
    quantization: str
    licence: str


class Sample(Record, frozen=True, kw_only=True):
    id: str
    input: str
    target: str | None
    quote: str


class Dataset(Record, frozen=True, kw_only=True, tag="dataset"):
    name: str
    number: int
    samples: tuple[Sample, ...]
    author: str


class Message(Record, frozen=True, kw_only=True):
    role: str
    content: str


class PromptVersion(Record, frozen=True, kw_only=True, tag="prompt-version"):
    name: str
    number: int
    messages: tuple[Message, ...]
    notes: str
    author: str


class Signature(Record, frozen=True, kw_only=True, tag="signature"):
    subject: Digest
    subject_name: str
    meaning: str
    user: str
    name: str
    time: str
    reason: str
    card: Digest
    envelope: str


class LogEntry(Record, frozen=True, kw_only=True, tag="log-entry"):
    index: int
    act: str
    objects: tuple[Digest, ...]


class Person:
    """Somebody with keys and a card."""

    def __init__(self, user: str, name: str, issuer: "Person | None" = None) -> None:
        self.keys = SigningKeys.generate()
        card = Card(
            user=user,
            name=name,
            roles=("reviewer",) if issuer else ("admin", "author"),
            keys=self.keys.public,
            valid_from="2026-01-01T00:00:00+00:00",
            valid_until="2036-01-01T00:00:00+00:00",
            issuer=issuer.fingerprint if issuer else "",
        )
        self.card = card
        self.signed: SignedCard = issue(card, self.keys, issuer.keys if issuer else None)
        self.fingerprint = fingerprint(card)


ADA = Person("ada", "Ada Nováková")
BEN = Person("ben", "Ben Okafor", ADA)
LOG = new_log_key()
TRUST = TrustFile(cards=(ADA.signed, BEN.signed), logs=(log_key(ORIGIN, LOG),), made=TIME)


def nonce(place: int) -> bytes:
    return bytes([place]) * 32


class Maker:
    """Puts records as a vault would: digests, a log of one entry for each change, signatures over subjects and earlier envelopes."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.tree = Tree()
        self.signatures: list[Stored] = []
        self._made = 0

    def put(self, *records: Record) -> list[Stored]:
        stored = []
        for record in records:
            self._made += 1
            content = record_bytes(record, nonce(self._made))
            stored.append(Stored(digest=digest_of(content), content=content))
        self._made += 1
        entry = LogEntry(index=len(self.entries), act="put", objects=tuple(item.digest for item in stored))
        self.entries.append(record_bytes(entry, nonce(self._made)))
        self.tree.append(leaf_hash(self.entries[-1]))
        return stored

    def envelope(self, person: Person, subjects: Sequence[statements.Subject], meaning: str, **changes: Any) -> bytes:
        state = statements.LogState(origin=ORIGIN, size=self.tree.size, root=Digest(self.tree.root().hex()))
        signing = statements.Signing(
            card=person.fingerprint,
            name=person.card.name,
            time=TIME,
            meaning=meaning,  # type: ignore[arg-type]
            reason="fits its purpose",
            log=state,
        )
        payload = statements.make(subjects, msgspec.structs.replace(signing, **changes))
        return envelopes.sign(envelopes.IN_TOTO, payload, person.keys, person.fingerprint)

    def sign(self, person: Person, subject: Stored, name: str, meaning: str, **changes: Any) -> None:
        earlier = [
            statements.Subject(name="earlier", digest=digest_of(json.loads(s.content)["record"]["envelope"].encode()))
            for s in self.signatures
            if json.loads(s.content)["record"]["subject"] == subject.digest
        ]
        envelope = self.envelope(
            person, [statements.Subject(name=name, digest=subject.digest), *earlier], meaning, **changes
        )
        _, signing = statements.parse(envelopes.read(envelope).payload)
        record = Signature(
            subject=subject.digest,
            subject_name=name,
            meaning=meaning,
            user=person.card.user,
            name=signing.name,
            time=signing.time,
            reason=signing.reason,
            card=signing.card,
            envelope=envelope.decode(),
        )
        self.signatures += self.put(record)


SPEC = SpecVersion(
    name="safety",
    number=1,
    spec=Spec(
        name="safety",
        dataset="questions@1",
        collection="handbook",
        prompts=("cite@1",),
        models=("starter",),
        include_quotes=True,
        scorers=("contains", "latency"),
        criteria=(Criterion(metric="contains", variant="quotes", at_least=0.5),),
    ),
    parent=None,
    author="ada",
    saved=TIME,
)
DATASET = Dataset(
    name="questions",
    number=1,
    samples=(
        Sample(id="q1", input="How many days?", target="15 days", quote="within 15 days"),
        Sample(id="q2", input="Who \u202ereviews?", target=None, quote=""),
    ),
    author="ada",
)
PROMPT = PromptVersion(
    name="cite",
    number=1,
    messages=(Message(role="user", content="Answer {{ question }} <b>now</b>"),),
    notes="first",
    author="ada",
)
MODEL = Model(
    name="starter",
    digest="ab" * 32,
    path="/home/ada/starter.gguf",
    architecture="llama",
    quantization="Q8_0",
    licence="Apache-2.0",
)
DOCUMENT = Document(name="handbook.pdf", content="cd" * 32, title="Handbook", collection="handbook")


def answer(text: str) -> dict[str, Json]:
    return {
        "question": {"text": "How many days?"},
        "answer": text,
        "citations": [{"name": "handbook.pdf", "page": 2, "quote": "within <15> days"}],
        "passages": [{"name": "handbook.pdf", "text": "Report within <15> days."}],
        "rendered": "",
        "abstained": False,
        "seconds": 0.25,
    }


class PlainOutcome(Record, frozen=True, kw_only=True, tag="outcome"):
    """An outcome whose answer is plain JSON, so that this file needs no assistant."""

    run: Digest
    sample: str
    variant: str
    answer: dict[str, Json] | None
    scores: tuple[Score, ...]
    error: str = ""


def content(
    change: Callable[[Maker], None] | None = None,
    order: str = "spec first",
    approver: Person = BEN,
    locked: SpecVersion = SPEC,
    judged: Callable[..., tuple[CriterionResult, ...]] = judge,
    adapted: bool = False,
    base: str = trained.BASE,
    marking: Callable[[Maker, Stored, Sequence[Stored]], Sequence[Stored]] | None = None,
    merging: Callable[[Maker], Sequence[Stored]] | None = None,
    late: bool = False,
) -> PackContent:
    """A whole pack's content. `change` may sign more before the run's result is put; `judged` judges the criteria of `locked`; `adapted`: the
    first variant uses an adapter that was trained in the vault, on the model `base`;
    `merging` gives the records of merges, before the run or, if `late`, after it."""
    maker = Maker()
    made = training(maker, base) if adapted else None
    [dataset] = maker.put(DATASET)
    [prompt] = maker.put(PROMPT)
    if order == "spec first":
        [spec] = maker.put(locked)
    else:
        spec = Stored(digest=digest_of(record_bytes(locked, nonce(99))), content=record_bytes(locked, nonce(99)))
    variants = (
        Variant(
            name="cite@1 / starter",
            prompt="cite@1",
            prompt_digest=prompt.digest,
            model="starter",
            model_digest="ab" * 32,
            settings=Settings(name="styled", adapters=(AdapterUse(model=trained.ADAPTER, scale=0.5),))
            if made
            else None,
        ),
        Variant(name="quotes", prompt="", prompt_digest="", model="quotes", model_digest=""),
    )
    run_record = Run(
        id="run-1",
        spec=spec.digest,
        spec_reference="safety@1",
        dataset=dataset.digest,
        dataset_reference="questions@1",
        collection="handbook",
        documents=(),
        embedder="starter-embed",
        variants=variants,
        criteria=locked.spec.criteria,
        scorers=locked.spec.scorers,
        samples=2,
        seed=0,
        environment=Environment(
            assay="0.1.0",
            python="3.11.7",
            system="Linux",
            processor="x86_64",
            packages={"numpy": "2.2"},
            barrier=("seccomp",),
        ),
        user="ada",
        started=TIME,
    )
    if order == "spec first":
        maker.sign(ADA, spec, "safety@1", "authored")
        maker.sign(approver, spec, "safety@1", "approved")
    merges = tuple(merging(maker)) if merging is not None and not late else ()
    [run] = maker.put(run_record)
    merges = tuple(merging(maker)) if merging is not None and late else merges
    if order != "spec first":
        maker.put(locked)
        maker.entries.pop()
        entry = LogEntry(index=len(maker.entries), act="put", objects=(spec.digest,))
        maker.entries.append(record_bytes(entry, nonce(98)))
        maker.tree = Tree([leaf_hash(data) for data in maker.entries])
    records = (
        outcome(run, "q1", variants[0].name, "Within 15 days.", 1.0, 0.5),
        PlainOutcome(
            run=run.digest, sample="q2", variant=variants[0].name, answer=None, scores=(), error="model stopped"
        ),
        outcome(run, "q1", "quotes", "Within 15 days [1].", 1.0, 0.1),
        outcome(run, "q2", "quotes", "The <script>alert(1)</script> reviewer.", 0.0, 0.2),
    )
    outcomes = maker.put(*records)
    results = (
        VariantResult(
            name=variants[0].name,
            metrics=(proportion("contains", 1, 1), mean("latency", 0.5, 0.5, 0.5, 1)),
            passed=1,
            failed=0,
            errors=1,
        ),
        VariantResult(
            name="quotes",
            metrics=(proportion("contains", 1, 2), mean("latency", 0.15, 0.1, 0.2, 2)),
            passed=1,
            failed=1,
            errors=0,
        ),
    )
    criteria = judged(locked.spec.criteria, results)
    plain = tuple(
        Outcome(run=r.run, sample=r.sample, variant=r.variant, answer=None, scores=r.scores, error=r.error)
        for r in records
    )
    result_record = RunResult(
        run=run.digest,
        status="finished",
        variants=results,
        differences=differences([v.name for v in variants], plain, locked.spec.scorers, 0),
        criteria=criteria,
        passed=all(criterion.met for criterion in criteria),
        finished=TIME,
        seconds=1.5,
    )
    [result] = maker.put(result_record)
    if change is not None:
        change(maker)
    marks = tuple(marking(maker, run, outcomes)) if marking is not None else ()
    others = maker.put(MODEL, DOCUMENT)
    on_merges = [
        one
        for one in maker.signatures
        if json.loads(one.content)["record"]["subject"] in {merge.digest for merge in merges}
    ]
    return PackContent(
        title=CONTENT_TITLE,
        assay="0.1.0",
        made=LATER,
        run=run,
        result=result,
        spec=spec,
        dataset=dataset,
        prompts=(prompt,),
        outcomes=tuple(outcomes),
        models=(others[0],),
        documents=(others[1],),
        signatures=tuple(one for one in maker.signatures if one not in on_merges),
        merges=merges,
        merge_signatures=tuple(on_merges),
        model_cards=(made.card,) if made else (),
        training_runs=(made.run,) if made else (),
        training_results=(made.result,) if made else (),
        comparisons=(made.compared,) if made else (),
        training_data=(made.data,) if made else (),
        marks=marks,
        cards=(ADA.signed, approver.signed),
        checkpoint=sign_checkpoint(ORIGIN, maker.tree.size, maker.tree.root(), LOG),
        entries=tuple(
            Logged(index=place, content=entry, proof=maker.tree.inclusion_proof(place, maker.tree.size))
            for place, entry in enumerate(maker.entries)
        ),
    )


LEARNED = Dataset(
    name="style",
    number=1,
    samples=(
        Sample(id="s1", input="How long is a visit?", target="2 hours", quote=""),
        Sample(id="s2", input="how many  days?", target="15 days", quote=""),
    ),
    author="ada",
)


def training(maker: Maker, base: str = trained.BASE) -> trained.Trained:
    """The records of a training, one entry of the log after the other; its result and the base's card are approved by somebody else."""
    [data] = maker.put(LEARNED)
    [run] = maker.put(msgspec.structs.replace(trained.training_run(data.digest), base_digest=Digest(base)))
    [result] = maker.put(trained.training_result(run.digest))
    [compared] = maker.put(trained.compared(data.digest))
    [card] = maker.put(trained.card())
    maker.sign(BEN, result, "training-1", "approved")
    maker.sign(BEN, card, "starter@2", "approved")
    return trained.Trained(run, result, compared, data, card)


def outcome(run: Stored, sample: str, variant: str, text: str, contains: float, seconds: float) -> PlainOutcome:
    scores = (
        Score(scorer="contains", value=contains, passed=contains == 1.0, reason="as expected"),
        Score(scorer="latency", value=seconds, passed=True, reason=f"{seconds:.2f} s"),
    )
    return PlainOutcome(run=run.digest, sample=sample, variant=variant, answer=answer(text), scores=scores)


def proportion(scorer: str, successes: int, n: int) -> Metric:
    low, high = wilson(successes, n)
    return Metric(scorer=scorer, value=successes / n, low=round(low, 6), high=round(high, 6), n=n, method="wilson")


def mean(scorer: str, value: float, low: float, high: float, n: int) -> Metric:
    return Metric(scorer=scorer, value=value, low=low, high=high, n=n, method="bootstrap")


def release(prepared: Prepared, made_of: PackContent, person: Person = ADA, **changes: Any) -> bytes:
    """The pack's bytes, released by `person`; `changes` alter the signing."""
    checkpoint = read_checkpoint(made_of.checkpoint)
    signing = statements.Signing(
        card=person.fingerprint,
        name=person.card.name,
        time=LATER,
        meaning="released",
        reason="for the auditor",
        log=statements.LogState(origin=checkpoint.origin, size=checkpoint.size, root=Digest(checkpoint.root.hex())),
    )
    subjects = [statements.Subject(name="pack", digest=changes.pop("subject", prepared.digest))]
    payload = statements.make(subjects, msgspec.structs.replace(signing, **changes))
    return finish(prepared, envelopes.sign(envelopes.IN_TOTO, payload, person.keys, person.fingerprint))


def pack(made_of: PackContent | None = None, person: Person = ADA, **changes: Any) -> bytes:
    made_of = content() if made_of is None else made_of
    return release(prepare(made_of, VERIFIER, GUIDE), made_of, person, **changes)


def altered(stored: Stored, change: Callable[[Any], None]) -> Stored:
    """A record with another content, its digest fitting."""
    value = json.loads(stored.content)
    change(value["record"])
    data = canonical(value)
    return Stored(digest=digest_of(data), content=data)
