"""Makes the vault that a release leaves behind: `python -m tests.unit.vault.released.make 0.1.0`, once, with that release's code.

Everything in it is invented. It is small, has a record of every kind that people make, and opens with the passphrases below; it is never
made again. `test_released.py` opens each of them with today's program.
"""

import sys
import tempfile
from pathlib import Path

from core.assistants.records import Question
from core.datasets.records import AddDataset
from core.documents.records import AddDocuments
from core.evals.records import Criterion, RunSpec, Spec
from core.inference.records import Message
from core.jobs import Job
from core.models.records import FAKE
from core.prompts.records import SavePrompt, SignPrompt
from core.trust.passphrases import FLOOR_MEMORY, FLOOR_PASSES, Kdf, new_kdf
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench

HERE = Path(__file__).resolve().parent
PASSPHRASES = {"ines": "seven lanterns by the river", "tomas": "a quiet ladder in october"}
SHEET = "Sheet 12\n\nThe flash point of solvent R-12 is 11 degrees, measured in a closed cup.\n\nThe gate closes at eight.\n"
SAMPLES = """\
{"id": "a", "input": "What is the flash point of solvent R-12?", "target": "11 degrees"}
{"id": "b", "input": "When does the gate close?", "target": "at eight"}
"""
ASKED = "Question: {{ question }}{% for p in passages %} [{{ p.number }}] {{ p.text }}{% endfor %}"


def weak() -> Kdf:
    return new_kdf(memory=FLOOR_MEMORY, passes=FLOOR_PASSES)


def main(release: str) -> None:
    folder = HERE / release / "Study.assay"
    folder.parent.mkdir()
    vault = Vault.create(folder, "ines", "Inês Duarte", PASSPHRASES["ines"], SCHEMA, weak)
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        vault.add_user(signer, "tomas", "Tomás Vidal", ("reviewer",), PASSPHRASES["tomas"], weak)
    with Workbench(vault) as bench, tempfile.TemporaryDirectory() as files:
        _author(bench, Path(files))
    with Workbench(Vault.open(folder, "tomas", PASSPHRASES["tomas"], SCHEMA)) as bench:
        _approve(bench)
    with Workbench(Vault.open(folder, "ines", PASSPHRASES["ines"], SCHEMA)) as bench:
        bench.documents._embedder = FAKE
        bench.evals.run(RunSpec(reference="small"), Job("Run"))
    (folder / "lock").unlink()


def _author(bench: Workbench, files: Path) -> None:
    job = Job("Make")
    bench.documents._embedder = FAKE
    sheet = files / "sheet.txt"
    for text in (SHEET, SHEET.replace("eight", "nine")):
        sheet.write_text(text, encoding="utf-8")
        bench.documents.add(AddDocuments(collection="sheets", paths=(str(sheet),)), job)
    (files / "samples.jsonl").write_text(SAMPLES, encoding="utf-8")
    bench.datasets.add(AddDataset(name="samples", path=str(files / "samples.jsonl")), job)
    for start in ("", "Answer in one sentence. "):
        message = Message(role="user", content=start + ASKED)
        bench.prompts.save(SavePrompt(name="cite", messages=(message,), notes="Sheets of the store"))
    with bench.vault.confirm(PASSPHRASES["ines"]) as signer:
        request = SignPrompt(reference="cite@2", meaning="authored", reason="My own work")
        bench.prompts.sign(request, signer)
    bench.prompts.label("cite@1", "trial")
    for part in bench.assistants.ask(Question(collection="sheets", text="When does the gate close?"), job):
        assert part is not None
    bench.evals.save(
        Spec(
            name="small",
            dataset="samples",
            collection="sheets",
            scorers=("contains", "refusal"),
            prompts=("cite@1", "cite@2"),
            models=(FAKE,),
            include_quotes=True,
            passages=2,
            max_tokens=32,
            criteria=(Criterion(metric="contains", variant="cite@2 / fake", at_least=0),),
        )
    )


def _approve(bench: Workbench) -> None:
    with bench.vault.confirm(PASSPHRASES["tomas"]) as signer:
        bench.prompts.approve("cite@2", "Read against sheet 12", signer)
        bench.evals.sign("small", "approved", "The bound is what we agreed", signer)


if __name__ == "__main__":
    main(sys.argv[1])
