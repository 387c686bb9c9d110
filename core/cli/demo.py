"""`assay demo`: the main job on the example workspace, from documents to a verified pack, in a vault that is thrown away.

Two invented people take part, since nobody approves their own work. What stays is the pack and the trust file to check it with.
"""

import contextlib
import secrets
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from core.assistants.records import Answered, Question
from core.cli.documents import answer_json, citation_lines
from core.cli.evals import run_json, run_lines
from core.cli.output import Output
from core.cli.packs import verdict_lines
from core.cli.session import FILE, Session, pass_session
from core.datasets.records import AddDataset
from core.documents.records import AddDocuments
from core.errors import AssayError, Unavailable
from core.evals.files import read_spec
from core.evals.records import RunSpec, RunView
from core.evidence.records import ExportPack, PackInfo
from core.evidence.verify import verify
from core.jobs import Job
from core.paths import RESOURCES, write_whole
from core.prompts.files import read_prompt
from core.prompts.records import SignPrompt
from core.records import Json
from core.trust import trustfile
from core.trust.passphrases import new_kdf
from core.vault import checkpoints, slots
from core.workbench import Workbench

EXAMPLE = RESOURCES / "example"
COLLECTION = "merrowdale"
DATASET = "merrowdale-questions"
AUTHOR = ("ines", "Ines Korhan")
REVIEWER = ("tomas", "Tomas Lindqvist-Ode")
QUESTIONS = (
    "How soon must a site report a serious adverse event?",
    "What is the flash point of solvent R-12?",
    "Which hotel did the inspectors stay in?",
)
"""Two that the documents answer, one that they don't."""


@click.command()
@click.option(
    "--out",
    default="assay-demo",
    show_default=True,
    type=FILE,
    help="Where pack and trust file go.",
)
@pass_session
def demo(session: Session, out: Path) -> None:
    """Do the main job once on the example workspace, and verify the result."""
    if not EXAMPLE.is_dir():
        raise Unavailable(what="The example workspace is missing", step="Run the demo from a complete installation.")
    started = time.monotonic()
    out = Path(session.as_given(out))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="assay-demo-") as folder:
        story = _Demo(Path(folder) / "Merrowdale.assay", out, session.output)
        try:
            content = story.tell()
        finally:
            story.forget()
    content["seconds"] = round(time.monotonic() - started, 1)
    session.output.result(
        content,
        [
            "",
            f"Done in {content['seconds']} s. The vault is gone; the pack and the trust file stay in {out}:",
            f"  assay pack verify {out / 'merrowdale.pack'} --trust {out / 'merrowdale.trust.json'}",
            "Open the window with `assay app`.",
        ],
    )


class _Demo:
    """One telling of the story; each step says what it does before it does it."""

    def __init__(self, vault: Path, out: Path, output: Output) -> None:
        self._vault = vault
        self._pack = out / "merrowdale.pack"
        self._trust = out / "merrowdale.trust.json"
        self._output = output
        self._author = secrets.token_urlsafe(18)
        self._reviewer = secrets.token_urlsafe(18)

    def tell(self) -> dict[str, Json]:
        self._say(f"1. An encrypted vault for two people: {AUTHOR[1]} writes, {REVIEWER[1]} approves.")
        with Workbench.create(self._vault, *AUTHOR, self._author, kdf=new_kdf) as bench:
            with bench.vault.confirm(self._author) as signer:
                bench.vault.add_user(signer, *REVIEWER, ("reviewer",), self._reviewer, kdf=new_kdf)
            answers = self._read_and_ask(bench)
            self._prepare(bench)
        self._say(f"5. {REVIEWER[1]} reads prompt and criteria, and approves them before anything runs.")
        with (
            Workbench.open(self._vault, REVIEWER[0], self._reviewer) as bench,
            bench.vault.confirm(self._reviewer) as signer,
        ):
            bench.prompts.approve("cite-answers@2", "Cites every claim and declines when it must.", signer)
            bench.evals.sign(self._spec_name, "approved", "Criteria fit the intended use.", signer)
        with Workbench.open(self._vault, AUTHOR[0], self._author) as bench:
            view = self._evaluate(bench)
            info = self._export(bench, view)
        self._say("8. An auditor checks the pack with the trust file alone, without the vault:")
        with self._pack.open("rb") as stream:
            verdict = verify(stream, trustfile.load(self._trust.read_bytes()), datetime.now(UTC))
        self._show(verdict_lines(verdict))
        return {
            "answers": answers,
            "variants": run_json(view)["variants"],
            "differences": run_json(view)["differences"],
            "pack": {
                "path": str(self._pack),
                "trust": str(self._trust),
                "sha256": info.sha256,
                "verdict": verdict.verdict,
            },
        }

    def forget(self) -> None:
        """Keep nothing of a vault that is thrown away: no checkpoint of it either."""
        with contextlib.suppress(AssayError, OSError):
            checkpoints.forget(slots.read(self._vault).vault)

    def _read_and_ask(self, bench: Workbench) -> list[Json]:
        documents = EXAMPLE / "documents"
        self._say(f"2. Reading {len(list(documents.iterdir()))} documents of Merrowdale, an invented company.")
        request = AddDocuments(collection=COLLECTION, paths=(str(documents),))
        done = bench.documents.add(request, self._output.job("Reading"))
        self._show([f"   {done.added} documents, {done.pages} pages, {done.chunks} chunks in {done.seconds:.1f} s."])
        self._say("3. Asking, answered by the documents' own sentences; no model, nothing invented:")
        answers: list[Json] = []
        for text in QUESTIONS:
            for part in bench.assistants.ask(Question(collection=COLLECTION, text=text), Job("Answer")):
                if isinstance(part, Answered):
                    answers.append(answer_json(part.answer, part.trace))
                    self._show([f"   Q: {text}", f"   A: {part.answer.answer}"])
                    self._show([f"   {line}" for line in citation_lines(part.answer)])
        return answers

    def _prepare(self, bench: Workbench) -> None:
        self._say("4. Two versions of a prompt, 40 questions, and criteria that are fixed before the run.")
        for number in (1, 2):
            bench.prompts.save(read_prompt(EXAMPLE / "prompts" / f"cite-answers-v{number}.yaml", "cite-answers"))
        bench.datasets.add(AddDataset(name=DATASET, path=str(EXAMPLE / "questions.jsonl")), Job("Read questions"))
        saved = bench.evals.save(read_spec(EXAMPLE / "evaluation.yaml"))
        self._spec_name = saved.spec.reference
        with bench.vault.confirm(self._author) as signer:
            bench.prompts.sign(SignPrompt(reference="cite-answers@2", meaning="authored"), signer)
            bench.evals.sign(self._spec_name, "authored", "", signer)

    def _evaluate(self, bench: Workbench) -> RunView:
        self._say("6. Both versions answer all questions; each figure has its 95 % interval:")
        view = bench.evals.run(RunSpec(reference=self._spec_name), self._output.job("Evaluating"))
        self._show([f"   {line}" if line else "" for line in run_lines(view)])
        return view

    def _export(self, bench: Workbench, view: RunView) -> PackInfo:
        self._say("7. The run becomes a signed pack.")
        request = ExportPack(run=view.run.id, out=str(self._pack), reason="Example for an auditor.")
        with bench.vault.confirm(self._author) as signer:
            info = bench.evidence.export(request, signer, self._output.job("Packing"))
        write_whole(self._trust, trustfile.dump(bench.vault.trust_file()), private=False)
        self._show([f"   {self._pack}, {info.size / 1e3:.0f} kB"])
        return info

    def _say(self, line: str) -> None:
        self._show(["", line])

    def _show(self, lines: list[str]) -> None:
        for line in lines:
            self._output.text(f"{line}\n")
