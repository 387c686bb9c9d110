"""Packs of one open vault: gather a finished run with everything that it rests on, sign it as released, write one file.

A pack is judged before it leaves: what our own verifier doesn't call valid, with this vault's people and log trusted, isn't written.
The export stands in the audit log, in the transaction that the file is written in; the pack's own checkpoint is from just before.
"""

import hashlib
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from core.errors import BadInput, Damaged, NotFound
from core.evals import locking, marks, store, tasks
from core.evals.records import Run, RunView
from core.evals.service import Evals
from core.evidence import gathering
from core.evidence.memory import collecting_later
from core.evidence.packing import finish, prepare
from core.evidence.records import ExportPack, Logged, PackContent, PackInfo, Stored
from core.evidence.salts import seed_of
from core.evidence.verify import verify
from core.jobs import Job
from core.models.records import ModelFile
from core.paths import RESOURCES, write_whole
from core.records import Digest, kind, now
from core.trust.canonical import builtins
from core.trust.cards import SignedCard, fingerprint
from core.vault import trail
from core.vault.records import Signature
from core.vault.roles import Act
from core.vault.sessions import refusals
from core.vault.unit import Reader
from core.vault.vault import Signer, Vault

VERIFIER = RESOURCES / "evidence" / "verify.py"
GUIDE = RESOURCES / "evidence" / "VERIFY.md"
STEPS = 4
LONGEST_NONCE = 200
"""Characters of what an auditor wants to find in the release."""


class Evidence:
    """The packs of one open vault."""

    def __init__(self, vault: Vault, evals: Evals) -> None:
        self._vault = vault
        self._evals = evals

    def export(self, request: ExportPack, signer: Signer, job: Job) -> PackInfo:
        """Write a run as a pack that `signer` releases.

        Raises `NotFound` (the run, the folder), `BadInput` (the run isn't over, a folder in the file's place), `Refused`, `Damaged`,
        `DiskFull`. Nothing is written or logged then.
        """
        out = Path(request.out).expanduser().absolute()
        _check_place(out)
        if len(request.nonce) > LONGEST_NONCE or not request.nonce.isprintable():
            raise BadInput(source="nonce", problem=f"use at most {LONGEST_NONCE} characters on one line.")
        view = self._evals.show(request.run)
        if view.result is None:
            problem = "the run isn't over, or was interrupted. Wait for it, or run its spec again."
            raise BadInput(source=view.run.id, problem=problem)
        trust = self._vault.trust_file()
        job.report(0, STEPS, "steps")
        with refusals(self._vault, Act.EXPORT_PACK, view.run.id), self._vault.read() as reader:
            locking.check_packed(reader, view)
            content, places = _gather(reader, view, [*trust.cards], signer.card)
            content = msgspec.structs.replace(content, reasons=request.reasons)
        job.report(1, STEPS, "steps")
        with collecting_later(), self._vault.write(Act.EXPORT_PACK, about=view.run.id, reason=request.reason) as unit:
            whole = _with_log(unit, content, places)
            prepared = prepare(whole, VERIFIER.read_bytes(), GUIDE.read_bytes(), seed_of(unit, view.digest))
            job.report(2, STEPS, "steps")
            manifest = unit.seal((prepared.manifest,))
            signature = unit.sign(signer, manifest, content.title, "released", request.reason, request.nonce)
            data = finish(prepared, signature.envelope.encode("utf-8"))
            verdict = verify(io.BytesIO(data), trust, datetime.now(UTC))
            if verdict.verdict != "valid":
                raise Damaged(source=view.run.id, problem=f"its pack would be {verdict.verdict}: {verdict.reasons[0]}")
            job.report(3, STEPS, "steps")
            unit.note(
                after=f"sha256 {hashlib.sha256(data).hexdigest()}",
                touched=(view.digest, view.run.spec, view.run.dataset, *(one.digest for one in content.training_data)),
            )
            write_whole(out, data)
        job.report(STEPS, STEPS, "steps")
        return PackInfo(
            path=str(out), sha256=Digest(hashlib.sha256(data).hexdigest()), size=len(data), manifest=manifest
        )


def _check_place(out: Path) -> None:
    if not out.parent.is_dir():
        raise NotFound(kind="folder", name=str(out.parent), step="Create it, or choose another place.")
    if out.is_dir():
        raise BadInput(source=str(out), problem="this is a folder. Give the name of a file.")


def _gather(
    reader: Reader, view: RunView, cards: list[SignedCard], releaser: Digest
) -> tuple[PackContent, tuple[int, ...]]:
    """The pack's content without the log, and where in the log its records are told of."""
    run = view.run
    prompts = tuple(dict.fromkeys(Digest(v.prompt_digest) for v in run.variants if v.prompt_digest))
    outcomes = store.outcome_digests(reader, view.digest)
    made = gathering.trainings(reader, run)
    models = _models(reader, run)
    files = {*(reader.get(digest, ModelFile).digest for digest in models), *made.adapters}
    cards_kept = gathering.model_cards(reader, files)
    merged = gathering.merges(reader, files, view.digest)
    merge_signatures = _signatures(reader, merged)
    extra = (*cards_kept, *made.records)
    signatures = _signatures(reader, (run.spec, run.dataset, *prompts, view.digest, Digest(view.result_digest), *extra))
    signers = {reader.get(digest, Signature).card for digest in (*signatures, *merge_signatures)} | {releaser}
    given = store.marks(reader, view.digest)
    content = PackContent(
        title=f"{run.spec_reference}, {run.id}",
        assay=run.environment.assay,
        made=now(),
        run=_stored(reader, view.digest),
        result=_stored(reader, Digest(view.result_digest)),
        spec=_stored(reader, run.spec),
        dataset=_stored(reader, run.dataset),
        prompts=_all(reader, prompts),
        outcomes=_all(reader, outcomes),
        models=_all(reader, models),
        documents=_all(reader, run.documents),
        model_cards=_all(reader, cards_kept),
        training_runs=_all(reader, made.runs),
        training_results=_all(reader, made.results),
        comparisons=_all(reader, made.comparisons),
        training_data=_all(reader, made.data),
        merges=_all(reader, merged),
        merge_signatures=_all(reader, merge_signatures),
        marks=_all(reader, given),
        people=tuple(builtins(one) for one in marks.people(reader, view)) if given else (),
        signatures=_all(reader, signatures),
        cards=tuple(card for card in cards if fingerprint(card) in signers),
        checkpoint=b"",
        entries=(),
    )
    told = {
        view.digest,
        Digest(view.result_digest),
        run.spec,
        run.dataset,
        *prompts,
        *outcomes,
        *signatures,
        *merged,
        *merge_signatures,
        *extra,
        *given,
    }
    return content, _places(reader, told)


def _with_log(reader: Reader, content: PackContent, places: Iterable[int]) -> PackContent:
    """The content with the present checkpoint and proofs under it."""
    size = reader.log_size
    entries = tuple(
        Logged(index=place, content=reader.log_bytes(place), proof=tuple(reader.inclusion(place, size)))
        for place in places
    )
    return msgspec.structs.replace(content, checkpoint=reader.checkpoint(), entries=entries)


def _signatures(reader: Reader, subjects: Iterable[Digest]) -> tuple[Digest, ...]:
    """The signature records on these subjects, oldest first for each."""
    wanted = kind(Signature)
    found = (other for subject in subjects for other in reader.linked_from(subject) if reader.kind(other) == wanted)
    return tuple(dict.fromkeys(found))


def _models(reader: Reader, run: Run) -> tuple[Digest, ...]:
    """The newest record of each model file that the run used, the embedder's among them."""
    used = {run.embedder, *tasks.used(run.variants), *(variant.embedder for variant in run.variants)}
    found: dict[Digest, Digest] = {}
    for digest in reader.find(ModelFile):
        model = reader.get(digest, ModelFile)
        if model.digest in used or model.name in used:
            found[model.digest] = digest
    return tuple(found.values())


def _places(reader: Reader, told: set[Digest]) -> tuple[int, ...]:
    """The log entries that tell of any of these records."""
    return trail.recorded_in(reader, told)


def _stored(reader: Reader, digest: Digest) -> Stored:
    return Stored(digest=digest, content=reader.raw(digest))


def _all(reader: Reader, digests: Iterable[Digest]) -> tuple[Stored, ...]:
    return tuple(_stored(reader, digest) for digest in digests)
