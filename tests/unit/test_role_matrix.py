"""The whole role matrix, through every operation that changes a vault: each role alone does what the matrix allows, and is refused the rest.

A new operation must be named here, or the test fails: `doors` reads them off the code, and the services' public methods off the workbench.
"""

import hashlib
import inspect
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from core.assistants import answer_report
from core.assistants.api_calls import ApiCall
from core.assistants.records import QUOTES, Answer, Question
from core.assistants.saved import SaveAssistant
from core.assistants.service import Assistants
from core.datasets.records import AddDataset, Sample, SaveSamples, SplitDataset, Splitting
from core.documents import comparison_report
from core.documents.comparing import Comparison
from core.documents.reading import Read
from core.documents.rebuilding import Rebuild, Rebuilding
from core.documents.records import AddDocuments
from core.documents.refreshing import Refreshing
from core.documents.screening.records import Decide, ScreeningPolicy
from core.documents.screening.service import Screening
from core.documents.service import Documents
from core.documents.watched import Watched
from core.documents.worker.records import PageWriter, Parsed
from core.errors import Cancelled, Refused, WorkerFailed
from core.evals import marks
from core.evals.records import RunSpec, Spec
from core.evals.views import SavedView, log_picture, remove_view, save_view
from core.evidence.records import ExportPack
from core.inference.records import Message
from core.jobs import Job
from core.models.records import FAKE, AddModel, ExportModel, MoveAlias, SaveCard, SignCard, SignModel, TrustKey
from core.paths import RESOURCES
from core.prompts.records import SavePrompt, SignPrompt
from core.records import Digest
from core.retrieval.records import Search
from core.retrieval.service import Retrieval
from core.training.records import ExportAdapter, Source, TrainSpec
from core.training.service import Trainings
from core.training.sweeps import Sweeps
from core.trust.keys import SigningKeys
from core.trust.model_signing import public_pem, signing_key
from core.trust.notes import new_log_key, witness_key
from core.trust.witnessing import State, witnessed
from core.vault import (
    api_tokens,
    backup,
    compact,
    erasure,
    holds,
    people,
    policies,
    recovery,
    retention,
    rotation,
    trail_export,
    trail_review,
    witnesses,
)
from core.vault.checkpoints import Rollback, settle
from core.vault.erasure import Erase
from core.vault.holds import PlaceHold, Thing
from core.vault.joining import Joined
from core.vault.retention import SetRetention
from core.vault.roles import ALLOWED, Act, Role
from core.vault.vault import Vault
from core.workbench import ERASABLES, SCHEMA, Workbench
from tests.conftest import weak_kdf
from tests.unit import doors
from tests.unit.documents.workspace import paragraph, pdf
from tests.unit.training.standin import KILLED, StandIn

PASSPHRASE = "seven lanterns by the river"
NEW = "a bell rings under the lake"
FOUNDER = "ines"
ALONE = {Role.ADMIN: "adam", Role.AUTHOR: "aurel", Role.REVIEWER: "rhea", Role.AUDITOR: "audrey"}
"""One person for each role, with no other."""
OTHERS = ("sam", "sol", "sue", "sid")
"""Authors to be changed, renewed, reset and revoked."""
TEXT = "# The tower\n\nThe tower has nine floors.\n\nThe gate closes at eight in the evening.\n"
QUESTIONS = '{"id": "q1", "input": "How many floors has the tower?", "target": "nine"}\n'
SPEC = Spec(
    name="towers", dataset="towers", collection="towers", include_quotes=True, passages=2, scorers=("contains",)
)
WITNESS = new_log_key()
FIRST, MAKER = (public_pem(signing_key(SigningKeys.generate()).public_key()).decode() for _ in range(2))
"""Keys of people elsewhere who sign model files."""
TRAINING = TrainSpec(name="tower", base="old", data=(Source(dataset="towers"),))
SWEPT = TrainSpec(name="towers", base="old", data=TRAINING.data, settings={"rank": [4, 8]})
LATER = datetime.now(UTC) + timedelta(days=100)


class Stage:
    """A copy of the vault, open for one person."""

    def __init__(self, folder: Path, user: str) -> None:
        self.folder, self.user, self.out = folder, user, folder.parent / "out"
        self.vault = Vault.open(folder, user, PASSPHRASE, SCHEMA)
        self.bench = bench = Workbench(self.vault)
        bench.documents = Documents(self.vault, bench.supervisor, bench.engine, embedder=FAKE)
        bench.refreshing = Refreshing(self.vault, bench.documents)
        bench.watched = Watched(self.vault, bench.refreshing)
        bench.rebuilding = Rebuilding(self.vault, bench.supervisor, bench.engine, bench.documents)
        bench.screening = Screening(self.vault, bench.documents)
        bench.retrieval = Retrieval(self.vault, bench.supervisor, bench.engine, bench.documents)
        bench.assistants = Assistants(
            self.vault, bench.models, bench.engine, bench.documents, bench.retrieval, bench.prompts
        )
        bench.evals._assistants, bench.evals._documents = bench.assistants, bench.documents
        self.trainer = StandIn()
        bench.models.lenders.clear()
        bench.trainings = Trainings(
            self.vault, bench.models, bench.datasets, bench.engine, bench.supervisor, opened=self.trainer
        )
        bench.sweeps = Sweeps(self.vault, bench.trainings)
        self.out.mkdir(exist_ok=True)

    def file(self, name: str, content: str) -> str:
        (self.folder.parent / name).write_text(content)
        return str(self.folder.parent / name)

    @property
    def document(self) -> Digest:
        return next(digest for digest, document in self.bench.documents.list("towers") if document.name == "tower.md")

    @property
    def pages(self) -> Digest:
        return next(digest for digest, document in self.bench.documents.list("towers") if document.name == "tower.pdf")

    @property
    def spare(self) -> Digest:
        return next(digest for digest, document in self.bench.documents.list("spare"))


class Operation(NamedTuple):
    """`name` as `doors` has it, the act that the log says, and how it is done."""

    name: str
    act: Act
    do: Callable[[Stage], object]


def signing(do: Callable[..., object]) -> Callable[[Stage], object]:
    """With the person's signing keys, as the second argument."""

    def done(stage: Stage) -> object:
        with stage.vault.confirm(PASSPHRASE) as signer:
            return do(stage, signer)

    return done


def uncited() -> Answer:
    return Answer(
        question=Question(collection="towers", text="Floors?"),
        answer="Nine.",
        abstained=False,
        citations=(),
        passages=(),
        sentences=1,
        unsupported=((0, 5),),
        best_score=0.0,
        needed_score=0.0,
        model=QUOTES,
        model_digest="",
        prompt_digest="",
        rendered="",
        finish="stop",
        tokens=0,
        prompt_tokens=0,
        first_token_seconds=0.0,
        seconds=0.0,
        backend=QUOTES,
    )


def in_clear(stage: Stage) -> None:
    stage.bench.retrieval._indexes._base = None
    stage.bench.retrieval.allow_clear("no storage in memory")


def stopped() -> Job:
    job = Job("Run")
    job.cancel()
    return job


def unsettled(stage: Stage) -> None:
    stage.vault.rollback = Rollback(seen=9, seen_root="ab", found=8, found_root="cd")
    settle(stage.vault, "restored from a backup")


def vouched(stage: Stage) -> None:
    key = witness_key("ann.example", WITNESS)
    note = (stage.folder.parent / "cosigned").read_bytes()
    witnesses.accept(stage.vault, note, (key.vkey,))


def taken(user: str) -> tuple[Read, Parsed]:
    """A document as it was read before."""
    data = f"{TEXT}Taken in by {user}.".encode()
    page = PageWriter(1)
    page.add("paragraph", data.decode())
    content = Digest(hashlib.sha256(data).hexdigest())
    return Read(name="taken.md", data=data, content=content, parsed=None), Parsed(
        media="text/markdown", title="", pages=(page.page(),)
    )


def ask(stage: Stage) -> None:
    question = Question(collection="towers", text="How many floors has the tower?", model=QUOTES, passages=2)
    list(stage.bench.assistants.ask(question, Job("Ask")))


def own_token(stage: Stage) -> None:
    api_tokens.revoke(stage.vault, f"old-{stage.user}")


SERVICES = (
    Operation("core.models.service:Models.add", Act.ADD_MODEL, lambda s: s.bench.models.add(
        AddModel(path=str(RESOURCES / "models" / "starter-chat.gguf"), name="chat"))),
    Operation("core.documents.service:Documents.add", Act.ADD_DOCUMENTS, lambda s: s.bench.documents.add(
        AddDocuments(collection="more", paths=(s.file("more.md", TEXT + s.user),)), Job("Add"))),
    Operation("core.documents.refreshing:Refreshing.follow", Act.ADD_DOCUMENTS, lambda s: s.bench.refreshing.follow(
        "towers", (str(s.folder.parent),))),
    Operation("core.documents.refreshing:Refreshing.unfollow", Act.ADD_DOCUMENTS, lambda s: s.bench.refreshing.unfollow("towers")),
    Operation("core.documents.refreshing:Refreshing.refresh", Act.ADD_DOCUMENTS, lambda s: s.bench.refreshing.refresh(
        "followed", Job("Refresh"))),
    Operation("core.documents.watched:Watched.begin", Act.ADD_DOCUMENTS, lambda s: s.bench.watched.begin("followed")),
    Operation("core.documents.watched:Watched.pause", Act.ADD_DOCUMENTS, lambda s: s.bench.watched.pause("followed")),
    Operation("core.documents.rebuilding:Rebuilding.rebuild", Act.ADD_DOCUMENTS, lambda s: s.bench.rebuilding.rebuild(
        Rebuild(collection="towers", size=60), Job("Rebuild"))),
    Operation("core.documents.tagging:Tagging.add", Act.ADD_DOCUMENTS, lambda s: s.bench.tagging.add("towers", ("tower.md",), (f"of {s.user}",))),
    Operation("core.documents.tagging:Tagging.remove", Act.ADD_DOCUMENTS, lambda s: s.bench.tagging.remove(
        "towers", ("tower.md",), ("tall",))),
    Operation("core.documents.rebuilding:Rebuilding.give_up", Act.ADD_DOCUMENTS, lambda s: s.bench.rebuilding.give_up("towers")),
    Operation("core.documents.screening.service:Screening.set_policy", Act.ADD_DOCUMENTS, lambda s: s.bench.screening.set_policy(
        ScreeningPolicy(collection="screened", mode="ask", redact=("phone",)))),
    Operation("core.documents.screening.service:Screening.findings", Act.SHOW_DOCUMENT, lambda s: s.bench.screening.findings("screened")),
    Operation("core.documents.screening.service:Screening.decide", Act.ADD_DOCUMENTS, lambda s: s.bench.screening.decide(
        Decide(collection="screened", action="redact"))),
    Operation("core.documents.screening.service:Screening.admit", Act.ADD_DOCUMENTS, lambda s: s.bench.screening.admit(
        "screened", Job("Admit"))),
    Operation("core.documents.screening.rescreening:rescreen", Act.ADD_DOCUMENTS, lambda s: s.bench.screening.again(
        "later", Job("Screen"))),
    Operation("core.documents.service:Documents.take_in", Act.ADD_DOCUMENTS, lambda s: s.bench.documents.take_in(
        "more", *taken(s.user), Job("Take in"))),
    Operation("core.documents.screening.service:Screening.readmit", Act.ADD_DOCUMENTS, lambda s: s.bench.screening.readmit(
        "screened", "out.md")),
    Operation("core.documents.comparing:Comparing.compare", Act.SHOW_DOCUMENT, lambda s: s.bench.comparing.compare(
        s.document, s.document, Job("Compare"))),
    Operation("core.documents.comparison_report:export", Act.EXPORT_DOCUMENT, lambda s: comparison_report.export(s.vault, Comparison(
        first=s.document, first_name="a", second=s.document, second_name="b", embedder=s.document, rows=()), s.out / "a.txt")),
    Operation("core.assistants.answer_report:export", Act.EXPORT_DOCUMENT, lambda s: answer_report.export(
        s.vault, s.bench.documents, uncited(), s.out / "a.html", Job("Export"))),
    Operation("core.documents.service:Documents.text", Act.SHOW_DOCUMENT, lambda s: s.bench.documents.text(s.document, 1)),
    Operation("core.documents.service:Documents.page", Act.SHOW_DOCUMENT, lambda s: s.bench.documents.page(s.pages, 1)),
    Operation("core.retrieval.service:Retrieval.show", Act.SHOW_DOCUMENT, lambda s: s.bench.retrieval.show(
        Search(collection="towers", query="floors"), Job("Search"))),
    Operation("core.retrieval.index:Indexes.allow_clear", Act.OPEN_IN_CLEAR, in_clear),
    Operation("core.assistants.service:Assistants.ask", Act.ASK, ask),
    Operation("core.assistants.service:Assistants.save", Act.SAVE_ASSISTANT, lambda s: s.bench.assistants.save(
        SaveAssistant(name=f"of-{s.user}", collections=("towers",)))),
    Operation("core.assistants.service:Assistants.remove", Act.REMOVE_ASSISTANT, lambda s: s.bench.assistants.remove("old")),
    Operation("core.assistants.api_calls:ApiCalls.keep", Act.USE_API, lambda s: s.bench.api_calls.keep((ApiCall(
        path="/v1/completions", request_id="r", token="t", began="2026-01-31T10:00:00Z", request="{}", status=200),))),
    Operation("core.prompts.service:Prompts.save", Act.SAVE_PROMPT, lambda s: s.bench.prompts.save(
        SavePrompt(name="new", messages=(Message(role="user", content="Say {{ question }}"),)))),
    Operation("core.prompts.service:Prompts.sign", Act.SIGN, signing(lambda s, signer: s.bench.prompts.sign(
        SignPrompt(reference="cite@1", meaning="reviewed"), signer))),
    Operation("core.prompts.service:Prompts.approve", Act.APPROVE, signing(lambda s, signer: s.bench.prompts.approve(
        "cite@1", "fits", signer))),
    Operation("core.prompts.service:Prompts.label", Act.LABEL, lambda s: s.bench.prompts.label("cite@1", "trial")),
    Operation("core.datasets.service:Datasets.add", Act.ADD_DATASET, lambda s: s.bench.datasets.add(
        AddDataset(name="more", path=s.file("more.jsonl", QUESTIONS)), Job("Add"))),
    Operation("core.datasets.service:Datasets.save", Act.ADD_DATASET, lambda s: s.bench.datasets.save(
        SaveSamples(name=f"of-{s.user}", samples=(Sample(id="1", input="Why?", target="so"),)))),
    Operation("core.datasets.service:Datasets.split", Act.ADD_DATASET, lambda s: s.bench.datasets.split(SplitDataset(
        reference="parted", splitting=Splitting(shares={"train": 0.5, "test": 0.5}, seed=len(s.user))), Job("Split"))),
    Operation("core.datasets.drafting:Drafting.draft", Act.DRAFT_SAMPLE, lambda s: s.bench.drafting.from_failures(
        f"by-{s.user}", ((Sample(id="1", input="Why?", target="so"), ""),), "run-0")),
    Operation("core.datasets.drafting:Drafting.from_answers", Act.DRAFT_SAMPLE, lambda s: s.bench.drafting.from_answers(
        f"from-{s.user}", ())),
    Operation("core.datasets.drafting:Drafting.from_failures", Act.DRAFT_SAMPLE, lambda s: s.bench.drafting.from_failures(
        f"of-{s.user}", ((Sample(id="1", input="Why?", target="so"), ""),), "run-0")),
    Operation("core.datasets.drafting:Drafting.accept", Act.DRAFT_SAMPLE, lambda s: s.bench.drafting.accept(1)),
    Operation("core.datasets.drafting:Drafting.reject", Act.DRAFT_SAMPLE, lambda s: s.bench.drafting.reject(2)),
    Operation("core.datasets.drafting:Drafting.reopen", Act.DRAFT_SAMPLE, lambda s: s.bench.drafting.reopen(2)),
    Operation("core.datasets.drafting:Drafting.keep", Act.ADD_DATASET, lambda s: s.bench.drafting.keep("drafted")),
    Operation("core.datasets.service:Datasets.export", Act.EXPORT_DATASET, lambda s: s.bench.datasets.export(
        "towers", s.out / "towers.jsonl")),
    Operation("core.evals.service:Evals.save", Act.SAVE_SPEC, lambda s: s.bench.evals.save(
        Spec(name="more", dataset="towers", collection="towers", include_quotes=True, scorers=("contains",)))),
    Operation("core.evals.service:Evals.sign", Act.SIGN, signing(lambda s, signer: s.bench.evals.sign(
        "towers", "reviewed", "", signer))),
    Operation("core.evals.service:Evals.sign", Act.APPROVE, signing(lambda s, signer: s.bench.evals.sign(
        "towers", "approved", "", signer))),
    Operation("core.evals.service:Evals.resume", Act.RUN_EVALUATION, lambda s: s.bench.evals.resume("run-2", Job("Run"))),
    Operation("core.evals.service:Evals.sign_exception", Act.APPROVE, signing(lambda s, signer: s.bench.evals.sign_exception(
        "run-1", "known weakness", signer))),
    Operation("core.evals.views:save_view", Act.SAVE_SPEC, lambda s: save_view(
        s.vault, SavedView(name="mine", baseline_run="run-1", baseline_variant="quotes"))),
    Operation("core.evals.views:log_picture", Act.EXPORT_PICTURE, lambda s: log_picture(s.vault, "cost.svg", ("run-1",))),
    Operation("core.evals.views:remove_view", Act.SAVE_SPEC, lambda s: remove_view(s.vault, "mine")),
    Operation("core.evals.service:Evals.run", Act.RUN_EVALUATION, lambda s: s.bench.evals.run(
        RunSpec(reference="towers"), Job("Run"))),
    Operation("core.evals.marks:mark", Act.MARK_OUTCOME, lambda s: marks.mark(s.vault, s.bench.evals.show("run-1"), marks.MarkOutcome(
        run=s.bench.evals.show("run-1").digest, sample="q1", variant="quotes", score=1, scorer="contains"))),
    Operation("core.training.service:Trainings.run", Act.TRAIN, lambda s: s.bench.trainings.run(TRAINING, "s.yaml", Job("Train"))),
    Operation("core.training.service:Trainings.resume", Act.TRAIN, lambda s: s.bench.trainings.resume(
        "training-2", "s.yaml", Job("Train"))),
    Operation("core.training.service:Trainings.keep", Act.TRAIN, lambda s: s.bench.trainings.keep(
        "training-3", "s.yaml", Job("Keep"))),
    Operation("core.training.listening:listen", Act.TRAIN, lambda s: s.bench.trainings.run(TRAINING, "s.yaml", Job("Train"))),
    Operation("core.training.sweeps:Sweeps.start", Act.TRAIN, lambda s: s.bench.sweeps.start(SWEPT, "s.yaml", Job("Train"))),
    Operation("core.training.sweeps:Sweeps.cancel", Act.TRAIN, lambda s: s.bench.sweeps.cancel("sweep-1")),
    Operation("core.training.sweeps:Sweeps.resume", Act.TRAIN, lambda s: s.bench.sweeps.resume("sweep-1", Job("Train"))),
    Operation("core.training.service:Trainings.sign", Act.SIGN, signing(lambda s, signer: s.bench.trainings.sign(
        "training-1", "reviewed", "", signer))),
    Operation("core.training.service:Trainings.sign", Act.APPROVE, signing(lambda s, signer: s.bench.trainings.sign(
        "training-1", "approved", "", signer))),
    Operation("core.training.service:Trainings.export", Act.EXPORT_ADAPTER, lambda s: s.bench.trainings.export(
        ExportAdapter(run="training-1", folder=str(s.out.parent / "adapter")))),
    Operation("core.evidence.service:Evidence.export", Act.EXPORT_PACK, signing(lambda s, signer: s.bench.evidence.export(
        ExportPack(run="run-1", out=str(s.out / "run.pack")), signer, Job("Pack")))),
    Operation("core.documents.service:Documents.remove", Act.REMOVE_DOCUMENTS, lambda s: s.bench.documents.remove(s.spare)),
    Operation("core.models.signatures:ModelSignatures.sign", Act.SIGN_MODEL, signing(lambda s, signer: s.bench.signatures.sign(
        SignModel(path=s.file("adapter.bin", TEXT), out=str(s.out / "adapter.sig")), signer))),
    Operation("core.models.signatures:ModelSignatures.export", Act.SIGN_MODEL, signing(lambda s, signer: s.bench.signatures.export(
        ExportModel(name="old", folder=str(s.out.parent / f"old-{s.user}")), signer))),
    Operation("core.models.signatures:ModelSignatures.trust", Act.TRUST_KEY, lambda s: s.bench.signatures.trust(
        TrustKey(name="maker", path=s.file("maker.pem", MAKER)))),
    Operation("core.models.signatures:ModelSignatures.distrust", Act.TRUST_KEY, lambda s: s.bench.signatures.distrust("first")),
    Operation("core.models.cards:ModelCards.save", Act.DESCRIBE_MODEL, lambda s: s.bench.model_cards.save(
        SaveCard(model="old", limits="known"))),
    Operation("core.models.cards:ModelCards.sign", Act.SIGN, signing(lambda s, signer: s.bench.model_cards.sign(
        SignCard(reference="old@1", meaning="reviewed"), signer))),
    Operation("core.models.cards:ModelCards.sign", Act.APPROVE, signing(lambda s, signer: s.bench.model_cards.sign(
        SignCard(reference="old@1", meaning="approved"), signer))),
    Operation("core.models.cards:ModelCards.withdraw", Act.APPROVE, lambda s: s.bench.model_cards.withdraw("old", "unfit")),
    Operation("core.models.aliases:ModelAliases.move", Act.MOVE_ALIAS, lambda s: s.bench.model_aliases.move(
        MoveAlias(name="summariser", model="old"))),
    Operation("core.models.aliases:ModelAliases.end", Act.MOVE_ALIAS, lambda s: s.bench.model_aliases.end("first")),
    Operation("core.models.service:Models.remove", Act.REMOVE_MODEL, lambda s: s.bench.models.remove("last")),
)  # fmt: skip

CARE = (
    Operation("core.vault.policies:change", Act.CHANGE_SETTINGS, signing(lambda s, signer: policies.change(
        s.vault, {"idle-minutes": "9"}, "shared office", signer))),
    Operation("core.vault.policies:sign", Act.SIGN, signing(lambda s, signer: policies.sign(
        s.vault, "policy@1", "reviewed", "", signer))),
    Operation("core.vault.policies:sign", Act.APPROVE, signing(lambda s, signer: policies.sign(
        s.vault, "policy@1", "approved", "", signer))),
    Operation("core.vault.trail_export:export", Act.EXPORT_TRAIL, lambda s: trail_export.export(s.vault, s.out / "log.csv", reason="inspection")),
    Operation("core.vault.trail_review:review", Act.REVIEW_TRAIL, signing(lambda s, signer: trail_review.review(
        s.vault, signer, 0, 3, "nothing found"))),
    Operation("core.vault.witnesses:request", Act.EXPORT_CHECKPOINT, lambda s: witnesses.request(s.vault)),
    Operation("core.vault.witnesses:checkpoint", Act.EXPORT_CHECKPOINT, lambda s: witnesses.checkpoint(s.vault)),
    Operation("core.vault.witnesses:prove", Act.EXPORT_CHECKPOINT, lambda s: witnesses.prove(s.vault, 0)),
    Operation("core.vault.witnesses:accept", Act.WITNESS, vouched),
    Operation("core.vault.checkpoints:settle", Act.RESTORE, unsettled),
    Operation("core.vault.api_tokens:make", Act.MAKE_TOKEN, lambda s: api_tokens.make(
        s.vault, api_tokens.MakeToken(name=f"of-{s.user}"))),
    Operation("core.vault.api_tokens:revoke", Act.REVOKE_TOKEN, own_token),
    Operation("core.vault.backup:backup", Act.BACK_UP, lambda s: backup.backup(s.vault, s.out / "backup")),
    Operation("core.vault.holds:place", Act.HOLD, signing(lambda s, signer: holds.place(s.vault, ERASABLES, signer, PlaceHold(
        name="Case 2", reason="letter", things=(Thing(kind="document", reference=s.document),))))),
    Operation("core.vault.holds:release", Act.HOLD, signing(lambda s, signer: holds.release(s.vault, ERASABLES, signer, "Case 1", "closed"))),
    Operation("core.vault.retention:set_rule", Act.SET_RETENTION, lambda s: retention.set_rule(
        s.vault, ERASABLES, SetRetention(name="traces", days=20, reason="our schedule"))),
    Operation("core.vault.retention:apply", Act.ERASE, signing(lambda s, signer: retention.apply(
        s.vault, ERASABLES, signer, LATER, "due", Job("Erase")))),
    Operation("core.vault.erasure:erase", Act.ERASE, signing(lambda s, signer: erasure.erase(s.vault, ERASABLES, signer, Erase(
        things=(Thing(kind="dataset", reference="unused@1"),), reason="request 12"), Job("Erase")))),
    Operation("core.vault.people:add", Act.ADD_USER, signing(lambda s, signer: people.add(
        s.vault, signer, "new", "New Person", ("author",), NEW, kdf=weak_kdf))),
    Operation("core.vault.people:change_roles", Act.CHANGE_ROLES, signing(lambda s, signer: people.change_roles(
        s.vault, signer, "sam", ("reviewer",), "moved"))),
    Operation("core.vault.people:renew", Act.RENEW_CARD, signing(lambda s, signer: people.renew(s.vault, signer, "sol"))),
    Operation("core.vault.people:reset", Act.RESET_USER, signing(lambda s, signer: people.reset(
        s.vault, signer, "sue", NEW, "forgot it", kdf=weak_kdf))),
    Operation("core.vault.recovery:make", Act.SET_RECOVERY, signing(lambda s, signer: recovery.make(s.vault, signer))),
    Operation("core.vault.people:revoke", Act.REVOKE_USER, signing(lambda s, signer: people.revoke(s.vault, signer, "sid", "left"))),
    Operation("core.vault.rotation:rotate", Act.ROTATE_KEY, lambda s: rotation.rotate(s.vault, "as every year")),
    Operation("core.vault.compact:compact", Act.COMPACT, lambda s: compact.compact(s.vault)),
    Operation("core.vault.people:change_passphrase", Act.CHANGE_PASSPHRASE, lambda s: people.change_passphrase(
        s.vault, PASSPHRASE, NEW, kdf=weak_kdf)),
)  # fmt: skip

ELSEWHERE = {
    "core.prompts.service:Prompts.sign": "as approved it is Prompts.approve",
    "core.documents.screening.entering:Gate.enter": "a part of Documents.add",
    "core.documents.dropping:drop_missing": "a part of Documents.add",
    "core.documents.cutting:settle": "a part of Documents.add",
    "core.evals.running:outcomes": "a part of Evals.run",
    "core.vault.recovery:recover": "of a closed vault, in a test of its own",
    "core.vault.vault:Vault.write": "the door itself",
    "core.vault.people:check": "asks for an operation whether it will be refused",
    "core.vault.people:new_slot_for": "a part of operations",
    "core.vault.people:signer": "a person takes up the card that an administrator offered them",
    "core.vault.backup:required": "asks for an operation whether it will be refused",
    "core.models.making:ModelMaking.import_folder": "refused before hours of work; what it makes is registered by Models.add",
    "core.models.making:ModelMaking.quantize": "the same",
    "core.training.adapters:AdapterFiles.import_adapter": "needs a base that fits; walked in tests/unit/training/test_adapters.py",
    "core.training.adapters:AdapterFiles.merge": "the same",
    "core.training.merged:sign": "needs a merged model; walked in tests/unit/training/test_merged.py",
    "core.training.pausing:pause": "needs a run under way; walked in tests/unit/training/test_pausing.py",
    "core.training.service:Trainings.evaluate": "needs a run with an evaluation; walked in tests/unit/training/test_proving.py",
    "core.vault.rotation:carry_out": "a part of operations",
    "core.vault.rotation:settle": "finishes at an opening what was begun",
    "core.vault.rotation:resume": "the same, before a backup",
    "core.vault.sessions:begin": "everybody's",
    "core.vault.sessions:end": "everybody's",
    "core.vault.sessions:refusals": "everybody's",
    "core.vault.joining:Joined.signed_in": "everybody's",
    "core.vault.sittings:Sitting.confirm": "everybody's: what is signed then is an operation",
}
"""What goes through a door and isn't walked here, and why."""
NOT_WALKED = {
    Act.CREATE_VAULT: "there is nobody before it",
    Act.RECOVER: "of a closed vault, in a test of its own",
    Act.SIGN_IN: "by opening, which the walk does",
    Act.SIGN_IN_FAILED: "logged by the vault itself",
    Act.SIGN_OUT: "by closing, which the walk does",
    Act.REFUSAL: "logged by the vault itself, which the walk looks for",
}
READING = {
    "models": {"list", "show", "located", "uses", "lent"},
    "model_aliases": {"list", "history"},
    "model_cards": {"list", "versions", "show"},
    "model_disk": {"view", "discard"},
    "making": {"import_folder", "quantize", "compare"},
    "signatures": {"keys"},
    "documents": {
        "collections",
        "collection",
        "embedder",
        "list",
        "show",
        "locate",
        "locate_overleaf",
        "out_of_search",
        "gone",
        "outdated",
        "place",
        "close",
        "sample",
        "preview",
        "reader",
    },
    "refreshing": {"changes", "folders"},
    "watched": {"collections", "following", "look", "refresh"},
    "rebuilding": {"pending"},
    "tagging": {"counts", "of"},
    "comparing": {"find", "versions"},
    "screening": {"again", "collections", "policy", "state"},
    "retrieval": {"search", "rank", "settings", "prepare", "index_state", "close", "allow_clear"},
    "prompts": {
        *("list", "versions", "show", "diff", "signatures", "held_back", "settle"),
        *("check", "values", "rendered", "preview", "diff_rendered"),
    },
    "assistants": {"question", "list", "find", "versions", "context", "traces", "trace"},
    "api_calls": {"list", "show", "used"},
    "datasets": {"list", "show", "preview", "versions", "changes", "screen", "contaminated"},
    "drafting": {"list", "waiting"},
    "evals": {"contamination", "specs", "spec", "list", "show", "outcomes", "compare", "estimate", "gate", "replay"},
    "trainings": {"check", "evaluate", "pause", "plan", "look", "examine", "list", "show", "lent", "source"},
    "adapters": {"import_adapter", "merge"},
    "sweeps": {"list", "pause", "show"},
    "scoring": {"tools", "asked", "instruments", "close"},
    "evidence": set(),
}
"""Public methods of the services that change nothing in the vault (`allow_clear`, `discard` and `making` hand on to the index, to
`Models.remove` and to `Models.add`, which are walked)."""
KEEPS_NOTHING = ("engine", "jobs", "supervisor", "events", "vault", "visitors")
"""What a workbench has besides services: none of it but the vault writes, and its operations are functions."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed vault with everything that the operations need, and somebody for each role."""
    folder = tmp_path_factory.mktemp("matrix")
    Vault.create(folder / "Study.assay", FOUNDER, "Inês Duarte", PASSPHRASE, SCHEMA, kdf=weak_kdf).close()
    stage = Stage(folder / "Study.assay", FOUNDER)
    with stage.bench as bench, stage.vault.confirm(PASSPHRASE) as signer:
        for user, role in (*((user, role) for role, user in ALONE.items()), *((user, Role.AUTHOR) for user in OTHERS)):
            people.add(stage.vault, signer, user, user.capitalize(), (role,), PASSPHRASE, kdf=weak_kdf)
        (folder / "words").write_text(" ".join(recovery.make(stage.vault, signer)))
        for collection, name, text in (("towers", "tower.md", TEXT), ("spare", "spare.md", f"{TEXT}Spare.\n")):
            bench.documents.add(AddDocuments(collection=collection, paths=(stage.file(name, text),)), Job("Add"))
        (folder / "tower.pdf").write_bytes(pdf(paragraph(60, 80, ["The tower has a cellar."])))
        bench.documents.add(AddDocuments(collection="towers", paths=(str(folder / "tower.pdf"),)), Job("Add"))
        bench.tagging.add("towers", ("tower.md",), ("tall",))
        (folder / "followed").mkdir()
        (folder / "followed" / "followed.md").write_text(f"{TEXT}Followed.\n")
        bench.refreshing.follow("followed", (str(folder / "followed"),))
        bench.screening.set_policy(ScreeningPolicy(collection="screened", mode="ask"))
        for name, address in (("out.md", "ann@example.org"), ("in.md", "bob@example.org")):
            path = stage.file(name, f"{TEXT}Write to {address}.\n")
            bench.documents.add(AddDocuments(collection="screened", paths=(path,)), Job("Add"))
        bench.screening.decide(Decide(collection="screened", action="exclude", documents=("out.md",)))
        bench.screening.admit("screened", Job("Admit"))
        bench.documents.add(
            AddDocuments(collection="later", paths=(stage.file("later.md", f"{TEXT}Write to cy@example.org.\n"),)),
            Job("Add"),
        )
        bench.screening.set_policy(ScreeningPolicy(collection="later", mode="ask"))
        for name in ("towers", "unused"):
            bench.datasets.add(AddDataset(name=name, path=stage.file(f"{name}.jsonl", QUESTIONS)), Job("Add"))
        bench.datasets.save(
            SaveSamples(name="parted", samples=tuple(Sample(id=id, input=id, target="so") for id in ("one", "two")))
        )
        bench.drafting.from_failures(
            "drafted", [(Sample(id=id, input=id, target="so"), "") for id in ("one", "two", "three")], "run-0"
        )
        bench.drafting.accept(3)
        bench.prompts.save(SavePrompt(name="cite", messages=(Message(role="user", content="Say {{ question }}"),)))
        for number, name in enumerate(("old", "last"), 1):
            model = folder / f"{name}.gguf"
            model.write_bytes((RESOURCES / "models" / "starter-chat.gguf").read_bytes() + bytes(number))
            bench.models.add(AddModel(path=str(model), name=name))
        bench.model_cards.save(SaveCard(model="old", intended="answers"))
        bench.model_aliases.move(MoveAlias(name="first", model="old"))
        bench.assistants.save(SaveAssistant(name="old", collections=("towers",)))
        bench.signatures.trust(TrustKey(name="first", path=stage.file("first.pem", FIRST)))
        bench.evals.save(SPEC)
        bench.evals.run(RunSpec(reference="towers"), Job("Run"))
        bench.evals.run(RunSpec(reference="towers"), stopped())
        bench.trainings.run(TRAINING, "s.yaml", Job("Train"))
        with pytest.raises(Cancelled):
            bench.sweeps.start(SWEPT, "s.yaml", stopped())
        for _ in range(2):  # one to go on with, one to keep as it is
            stage.trainer.failing = KILLED
            with pytest.raises(WorkerFailed):
                bench.trainings.run(TRAINING, "s.yaml", Job("Train"))
        ask(stage)
        policies.change(stage.vault, {"idle-minutes": "10"}, "shared office", signer)
        retention.set_rule(stage.vault, ERASABLES, SetRetention(name="traces", days=30, reason="our schedule"))
        with stage.vault._connections.transaction() as db:  # a token of each
            for user in ALONE.values():
                row = (f"old-{user}", f"hash of {user}", user, "2026-01-31T10:00:00Z", 0, 0, "")
                db.execute("INSERT INTO api_tokens VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        held = Thing(kind="document", reference=stage.document)
        holds.place(stage.vault, ERASABLES, signer, PlaceHold(name="Case 1", reason="letter", things=(held,)))
        state = State(witness=witness_key("ann.example", WITNESS), logs={})
        _, note = witnessed(witnesses.request(stage.vault), state, WITNESS, stage.vault.trust_file().logs, 1)
        (folder / "cosigned").write_bytes(note)
    return folder


@pytest.fixture(params=list(Role))
def alone(request: pytest.FixtureRequest, base: Path, tmp_path: Path) -> Iterator[tuple[Role, Stage]]:
    """A copy of the vault, open for somebody who has one role."""
    shutil.copytree(base, tmp_path / "copy")
    stage = Stage(tmp_path / "copy" / "Study.assay", ALONE[request.param])
    yield request.param, stage
    stage.bench.close()


def state(stage: Stage) -> dict[str, str]:
    """A digest of everything that is kept, but for the log and its index."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in stage.out.iterdir()}
    found["keys.json"] = hashlib.sha256((stage.folder / "keys.json").read_bytes()).hexdigest()
    with stage.vault.read() as reader:
        tables = reader.db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for (table,) in tables.fetchall():
            if not table.startswith(("log", "trail")):
                rows = sorted(map(repr, reader.db.execute(f'SELECT * FROM "{table}"').fetchall()))
                found[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def entries(stage: Stage, after: int) -> list[tuple[str, str]]:
    with stage.vault.read() as reader:
        return [(entry.act, entry.user) for entry in reader.log(1000, after - 1)]


def size(stage: Stage) -> int:
    with stage.vault.read() as reader:
        return reader.log_size


def test_each_role_alone_does_what_the_matrix_allows_and_is_refused_the_rest(alone: tuple[Role, Stage]) -> None:
    role, stage = alone
    for operation in (*SERVICES, *CARE):
        before, start = state(stage), size(stage)
        if role in ALLOWED[operation.act]:
            operation.do(stage)
            assert (operation.act.value, stage.user) in entries(stage, start), operation.name
            continue
        with pytest.raises(Refused) as caught:
            operation.do(stage)
        assert "Your roles here don't allow it" in str(caught.value), operation.name
        assert state(stage) == before, operation.name
        assert entries(stage, start) == [(Act.REFUSAL.value, stage.user)], operation.name


def test_who_works_through_anothers_process_has_their_own_roles(base: Path, tmp_path: Path) -> None:
    """Workers and indexes are shared; what a person may do, and whose name the log has, isn't."""
    shutil.copytree(base, tmp_path / "copy")
    stage, wanted = Stage(tmp_path / "copy" / "Study.assay", FOUNDER), Search(collection="towers", query="floors")
    with stage.bench as first:
        adam, aurel = (first.beside(Joined(stage.vault, user)) for user in ("adam", "aurel"))
        start = size(stage)
        with pytest.raises(Refused):
            adam.retrieval.show(wanted, Job("Search"))
        assert aurel.retrieval.show(wanted, Job("Search"))
        first.retrieval._indexes._base = None
        with pytest.raises(Refused):
            aurel.retrieval.allow_clear("no storage in memory")
        assert entries(stage, start) == [
            (Act.REFUSAL, "adam"),
            (Act.SHOW_DOCUMENT, "aurel"),
            (Act.REFUSAL, "aurel"),
        ]


@pytest.mark.parametrize("role", list(Role))
def test_only_an_administrator_comes_back_by_the_recovery_key(role: Role, base: Path, tmp_path: Path) -> None:
    shutil.copytree(base, tmp_path / "copy")
    folder, words = tmp_path / "copy" / "Study.assay", (base / "words").read_text()
    if role in ALLOWED[Act.RECOVER]:
        recovery.recover(folder, words, ALONE[role], NEW, SCHEMA, kdf=weak_kdf)
        Vault.open(folder, ALONE[role], NEW, SCHEMA).close()
        return
    with pytest.raises(Refused, match="admin"):
        recovery.recover(folder, words, ALONE[role], NEW, SCHEMA, kdf=weak_kdf)
    Vault.open(folder, ALONE[role], PASSPHRASE, SCHEMA).close()


def test_every_operation_that_opens_a_change_is_walked() -> None:
    walked = {operation.name for operation in (*SERVICES, *CARE)}
    known, found = walked | set(ELSEWHERE), doors.found()
    assert found - known == set(), "name them in SERVICES or CARE, with their act"
    assert known - found == set(), "they open no change any more"


def test_every_act_is_walked() -> None:
    assert {operation.act for operation in (*SERVICES, *CARE)} | set(NOT_WALKED) == set(Act)


def test_every_public_method_of_every_service_is_an_operation_or_only_reads(base: Path, tmp_path: Path) -> None:
    shutil.copytree(base, tmp_path / "copy")
    walked = {operation.name.partition(":")[2] for operation in SERVICES}
    with Stage(tmp_path / "copy" / "Study.assay", FOUNDER).bench as bench:
        services = {name for name in vars(bench) if not name.startswith("_")} - set(KEEPS_NOTHING)
        assert services == set(READING)
        for name in services:
            cls = type(getattr(bench, name))
            methods = {method for method, _ in inspect.getmembers(cls, callable) if not method.startswith("_")}
            operations = {method for method in methods if f"{cls.__name__}.{method}" in walked}
            assert methods == operations | READING[name], name
            assert not operations & READING[name], name
