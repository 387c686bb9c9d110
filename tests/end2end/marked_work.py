"""A process that uses everything on marked content, for `test_nothing_in_clear`: `python marked_work.py STAGE ROOT MARK`.

`work` makes a vault, does all that the services offer, starts an evaluation, and in the middle of it says what it holds and waits to be killed.
`commands` opens the vault again through the command line, does some more, and ends in order.
"""

import json
import os
import sys
from pathlib import Path

import pymupdf

from core import egress
from core.assistants.api_calls import ApiCall
from core.assistants.records import Question
from core.cli.main import assay
from core.datasets.records import AddDataset
from core.documents import store
from core.documents import vectors as stored
from core.documents.records import AddDocuments
from core.evals.records import Done, RunSpec, Spec
from core.evidence.records import ExportPack
from core.inference.records import Message
from core.jobs import Job
from core.prompts.records import SavePrompt, SignPrompt
from core.retrieval.records import Search
from core.trust.passphrases import new_kdf
from core.vault.backup import backup
from core.vault.restore import restore, with_passphrase
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench

TEMPLATE = "{% for p in passages %}[{{ p.number }}] {{ p.text }}\n{% endfor %}\nQuestion: {{ question }}"


def work(root: Path, mark: str) -> None:
    egress.harden()
    sources = root / "sources"
    collection = f"{mark}collection"
    passphrase = (sources / "passphrase").read_text().strip()
    vault = Vault.create(root / "Team.assay", "ines", "Ines", passphrase, SCHEMA, lambda: new_kdf(8192, 1))
    with Workbench(vault) as bench:
        bench.documents._embedder = "fake"
        paths = _sources(sources, mark)
        bench.documents.add(AddDocuments(collection=collection, paths=tuple(map(str, paths))), Job("Add"))
        document = next(digest for digest, known in bench.documents.list(collection) if known.name.endswith(".pdf"))
        bench.documents.page(document, 1)
        bench.documents.locate(document, 1, f"{mark}pdf")
        bench.retrieval.prepare(collection, Job("Index"))
        bench.retrieval.search(Search(collection=collection, query=f"{mark}query"), Job("Search"))
        for text in (TEMPLATE, f"{mark}prompt. Cite.\n{TEMPLATE}"):
            bench.prompts.save(
                SavePrompt(name=f"{mark}prompt", messages=(Message(role="user", content=text),), notes=f"{mark}notes")
            )
        question = Question(collection=collection, text=f"What does {mark}question say of the tower?")
        for asked in (question, Question(**{**_fields(question), "model": "fake", "prompt": f"{mark}prompt@2"})):
            list(bench.assistants.ask(asked, Job("Ask")))
        bench.datasets.add(AddDataset(name=f"{mark}dataset", path=str(sources / f"{mark}rows.jsonl")), Job("Add"))
        bench.datasets.export(f"{mark}dataset", root / "out" / "rows.csv")
        with vault.write(Act.ADD_MODEL, about=f"{mark}adapter") as unit:
            unit.seal(f"{mark}weights".encode() * 1000 for _ in range(200))
            unit.seal((f"# Model card\n\n{mark}card".encode(),))
        asked_of = {"model": "fake", "prompt": f"{mark}apiprompt"}
        bench.api_calls.keep(
            [
                ApiCall(
                    path="/v1/completions",
                    request_id="call-1",
                    token=f"{mark}token",
                    began="2026-01-01T00:00:00+00:00",
                    request=json.dumps(asked_of),
                    status=200,
                    rendered=f"{mark}apiprompt",
                    answers=(f"{mark}apianswer",),
                )
            ]
        )
        spec = Spec(
            name=f"{mark}spec",
            dataset=f"{mark}dataset",
            collection=collection,
            prompts=(f"{mark}prompt@1", f"{mark}prompt@2"),
            models=("fake",),
            include_quotes=True,
            passages=2,
            scorers=("contains", "groundedness", "refusal", "latency"),
        )
        bench.evals.save(spec)
        with vault.confirm(passphrase) as signer:
            bench.prompts.sign(SignPrompt(reference=f"{mark}prompt@2", meaning="authored", reason=f"{mark}why"), signer)
            bench.evals.sign(spec.name, "authored", f"{mark}reason", signer)
            view = bench.evals.run(RunSpec(reference=spec.name), Job("Run"))
            out = root / "out" / "run.pack"
            bench.evidence.export(
                ExportPack(run=view.run.id, out=str(out), reason=f"{mark}export"), signer, Job("Pack")
            )
        saved = root / "backups" / "team.backup"
        backup(vault, saved)
        unlock = with_passphrase(saved, "ines", passphrase)  # the adapter belongs to no training run: a finding
        restore(saved, root / "Restored.assay", unlock, SCHEMA, despite_findings=True)
        with vault.read() as reader:
            kept = store.get(reader, collection)
            vectors = [row.tobytes().hex() for row in stored.everything(reader, kept.id, kept.dimensions)[1]]
        held = {
            "vectors": vectors,
            "key": vault._connections.key.hex(),
            "workers": {worker.title: worker.barrier.names for worker in bench.supervisor.workers()},
            "processes": [worker.pid for worker in bench.supervisor.workers()],
        }

        def pause(done: Done) -> None:
            if done.done == 2:
                print(json.dumps(held), flush=True)
                sys.stdin.read()

        bench.evals.run(RunSpec(reference=spec.name), Job("Run"), pause)


def commands(root: Path, mark: str) -> None:
    os.environ |= {
        "ASSAY_VAULT": str(root / "Team.assay"),
        "ASSAY_USER": "ines",
        "ASSAY_PASSPHRASE_FILE": str(root / "sources" / "passphrase"),
    }
    egress.harden()
    collection = f"{mark}collection"
    for line in (
        ["documents", "list"],
        ["documents", "search", collection, f"{mark}query"],
        ["ask", collection, f"What does {mark}question say of the tower?"],
        ["prompt", "show", f"{mark}prompt@2"],
        ["dataset", "export", f"{mark}dataset", "-o", str(root / "out" / "again.jsonl")],
        ["eval", "list"],
        ["audit", "log"],
    ):
        assay.main(args=["--json", *line], prog_name="assay", standalone_mode=False)


def _fields(question: Question) -> dict[str, object]:
    return {name: getattr(question, name) for name in question.__struct_fields__}


def _sources(folder: Path, mark: str) -> list[Path]:
    """A text, a PDF and a table of samples that hold the mark, in files whose names do."""
    text = folder / f"{mark}text.md"
    text.write_text(f"# {mark}heading\n\nThe tower of {mark}text has nine floors.\n\nThe gate closes at eight.\n")
    document = pymupdf.open()
    for number in range(3):
        page = document.new_page()
        page.insert_text((72, 72), f"Page {number} of {mark}pdf tells of the tower and its gate.")
    pdf = folder / f"{mark}report.pdf"
    document.save(pdf)
    rows = folder / f"{mark}rows.jsonl"
    sample = {"input": f"How many floors has the tower of {mark}input?", "target": f"nine {mark}target"}
    rows.write_text("".join(json.dumps({"id": f"q{number}", **sample}) + "\n" for number in range(4)))
    return [text, pdf]


if __name__ == "__main__":
    {"work": work, "commands": commands}[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
