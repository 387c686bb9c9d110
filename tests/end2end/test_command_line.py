"""What `--json` prints is an interface: the exact keys of each command, in one vault, with the model `fake`. Keys are only ever added."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.paths import RESOURCES
from tests.end2end.conftest import Assay, Ran
from tests.processes import children, until

SHEET = "Sheet 12\n\nThe flash point of solvent R-12 is 11 degrees, measured in a closed cup.\n\nThe gate closes at eight.\n"
SAMPLES = """\
{"id": "a", "input": "What is the flash point of solvent R-12?", "target": "11 degrees"}
{"id": "b", "input": "When does the gate close?", "target": "at eight"}
{"id": "c", "input": "Who painted the tower?", "unanswerable": true}
"""
PROMPT = """\
messages:
  - role: user
    content: "{% for p in passages %}[{{ p.number }}] {{ p.text }} {% endfor %}Question: {{ question }}"
"""
SPEC = """\
name: small
dataset: samples
collection: sheets
prompts: [cite@1, cite@2]
models: [fake]
passages: 2
max_tokens: 32
scorers: [contains, refusal]
criteria:
  - metric: contains
    variant: cite@2 / fake
    at_least: 0
"""
RUN = {"run", "spec", "digest", "status", "passed", "variants", "differences", "criteria"}
PROMPT_TEXT = {"messages", "variables", "contract", "settings", "fingerprint"}
PROMPT_STATE = {"prompt", "digest", "author", "saved", "notes", "labels", "signed"}
CARD = {"user", "fingerprint", "card", "groups", "valid_from", "valid_until", "revoked"}
WORKERS_OF_A_RUN = 2
"""From that many child processes on, the run is at its samples: one embeds the question, one searches the index."""
ENTRY = {"entry", "time", "user", "act", "about", "reason", "before", "after", "objects", "touched"}
VERDICT = {"verdict", "reasons", "signatures", "nonce", "redaction_of", "withheld", "lost"}
REDACTION = {"redaction_of", "openings", "left", "fields", "samples", "renderings", "lost", "warnings"}
SIGNED_PROMPT = {"prompt", "meaning", "name", "time", "digest"}
SPEC_STATE = {"spec", "digest", "dataset", "author", "saved", "signed"}
SIGNED_SPEC = {"spec", "meaning", "name", "time", "digest"}
MODEL = {
    "type", "version", "name", "digest", "path", "size", "modified_us", "architecture", "purpose", "quantization", "parameters", "context",
    "dimensions", "has_template", "licence", "added", "title", "tokenizer", "base_model", "base_digest", "parts", "identity", "signature",
    "signed_by", "importance",
}  # fmt: skip


def printed(ran: Ran, keys: set[str]) -> Any:
    """The one JSON document on standard output, with exactly these keys."""
    assert ran.code == 0, ran
    content = ran.json
    assert set(content) == keys
    return content


def workers_of(process: int) -> int:
    """How many child processes it has."""
    return len(children(process))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "sheet.txt").write_text(SHEET)
    (folder / "samples.jsonl").write_text(SAMPLES)
    (folder / "v1.yaml").write_text(PROMPT)
    (folder / "v2.yaml").write_text(PROMPT.replace("Question:", "Answer and cite. Question:"))
    (folder / "small.yaml").write_text(SPEC)
    return folder


@pytest.fixture(scope="module")
def worked(ines: Assay, tomas: Assay, files: Path) -> dict[str, Any]:
    """The main job, command by command; what each printed."""
    told: dict[str, Any] = {}
    told["documents add"] = ines("documents", "add", "sheets", files / "sheet.txt", "--json")
    (files / "sheet.txt").write_text(SHEET.replace("eight", "nine"))
    told["documents add again"] = ines("--json", "documents", "add", "sheets", files / "sheet.txt")
    told["prompt save"] = ines("prompt", "save", "cite", "--json", "--file", files / "v1.yaml")
    ines("prompt", "save", "cite", "--file", files / "v2.yaml")
    told["prompt sign"] = ines("prompt", "sign", "cite@2", "--meaning", "authored", "--json")
    told["prompt approve"] = tomas("prompt", "approve", "cite@2", "--json")
    told["dataset add"] = ines("dataset", "add", "samples", files / "samples.jsonl", "--json")
    told["eval save"] = ines("eval", "save", files / "small.yaml", "--json")
    told["eval approve"] = tomas("eval", "approve", "small", "--json")
    told["eval run"] = ines("eval", "run", "small", "--json")
    return told


def test_documents(ines: Assay, worked: dict[str, Any]) -> None:
    keys = {"collection", "added", "replaced", "unchanged", "refused", "chunks", "pages", "seconds"} | {
        "held",
        "redacted",
        "excluded",
        "with_furniture",
    }
    first = printed(worked["documents add"], keys)
    assert (first["added"], first["replaced"]) == (1, 0)
    again = printed(worked["documents add again"], keys)
    assert (again["added"], again["replaced"]) == (1, 1)
    (held,) = printed(ines("documents", "list", "--json"), {"collections"})["collections"]
    assert set(held) == {"name", "documents", "chunks", "older"}
    (document,) = printed(ines("documents", "list", "sheets", "--json"), {"documents", "older"})["documents"]
    assert set(document) == {"name", "pages", "size", "added"}
    found = printed(ines("documents", "search", "sheets", "flash point", "--json"), {"results", "finding"})["results"]
    assert set(found[0]) == {"collection", "document", "page", "place", "text", "score"}


def test_asking(ines: Assay, worked: dict[str, Any]) -> None:
    keys = {
        "answer",
        "model",
        "abstained",
        "citations",
        "trace",
        "mode",
        "finding",
        "support",
        "withdrawn",
        "values",
        "contract",
        "broken",
        "guarded",
        "searched",
        "assistant",
        "adapters",
        "pictures",
    }
    asked = ("ask", "sheets", "What is the flash point of solvent R-12?")
    quoted = printed(ines(*asked, "--json"), keys)
    assert set(quoted["citations"][0]) == {"document", "page", "place", "quote", "score"}
    assert quoted["citations"][0]["place"]
    assert "11 degrees" in quoted["answer"]
    assert printed(ines(*asked, "--model", "fake", "--prompt", "cite@2", "--json"), keys)["model"] == "fake"
    refused = ines(*asked, "--prompt", "cite@2")
    assert refused.code == 2
    assert "--prompt needs a chat model" in refused.said


def test_prompts(ines: Assay, worked: dict[str, Any]) -> None:
    printed(worked["prompt save"], {"prompt", "digest", "created"})
    printed(worked["prompt sign"], SIGNED_PROMPT)
    printed(worked["prompt approve"], SIGNED_PROMPT)
    (latest,) = printed(ines("prompt", "list", "--json"), {"prompts"})["prompts"]
    assert set(latest) == PROMPT_STATE
    assert set(latest["signed"][0]) == {"meaning", "name"}
    shown = printed(ines("prompt", "show", "cite@approved", "--json"), PROMPT_STATE | PROMPT_TEXT)
    assert set(shown["messages"][0]) == {"role", "content"}
    assert len(printed(ines("prompt", "versions", "cite", "--json"), {"prompts"})["prompts"]) == 2
    parts = printed(ines("prompt", "diff", "cite@1", "cite@2", "--json"), {"old", "new", "parts"})["parts"]
    assert all(set(part) == {"kind", "text"} for part in parts)
    printed(ines("prompt", "label", "cite@1", "trial", "--json"), PROMPT_STATE)


def test_datasets(ines: Assay, worked: dict[str, Any], tmp_path: Path) -> None:
    printed(worked["dataset add"], {"dataset", "digest", "samples", "created"})
    (listed,) = printed(ines("dataset", "list", "--json"), {"datasets"})["datasets"]
    assert set(listed) == {"dataset", "samples", "saved"}
    shown = printed(ines("dataset", "show", "samples", "--json"), {"dataset", "digest", "parts", "samples"})
    assert set(shown["samples"][0]) == {"id", "input", "target", "split", "synthetic"}
    out = tmp_path / "out.csv"
    assert printed(ines("dataset", "export", "samples", "-o", out, "--json"), {"samples", "file"})["samples"] == 3
    ines.refuses("dataset", "export", "samples", "-o", tmp_path / "absent" / "a.csv", code=6, saying="no folder")


def test_evaluations(ines: Assay, worked: dict[str, Any]) -> None:
    saved = printed(worked["eval save"], {"spec", "digest", "created"})
    (listed,) = printed(ines("eval", "specs", "--json"), {"specs"})["specs"]
    assert set(listed) == SPEC_STATE
    spec = printed(ines("eval", "spec", "small", "--json"), SPEC_STATE | {"content"})
    assert (spec["digest"], spec["content"]["dataset"]) == (saved["digest"], "samples@1")
    assert [signed["meaning"] for signed in spec["signed"]] == ["approved"]
    printed(worked["eval approve"], SIGNED_SPEC)
    assert "at_least: 0" in worked["eval approve"].said, "who signs sees the criteria"
    run = printed(worked["eval run"], RUN | {"contaminated"})
    assert (run["status"], run["passed"]) == ("finished", True)
    assert set(run["variants"][0]) == {"name", "metrics", "errors"}
    assert set(run["variants"][0]["metrics"]["contains"]) == {"value", "low", "high", "n"}
    assert set(run["differences"][0]) == {"metric", "baseline", "variant", "value", "low", "high", "p", "n"}
    assert set(run["criteria"][0]) == {"metric", "variant", "measured", "met"}
    (listed,) = printed(ines("eval", "list", "--json"), {"runs"})["runs"]
    assert set(listed) == RUN
    shown = printed(ines("eval", "show", "run-1", "--outcomes", "--json"), RUN | {"people", "outcomes", "by_group"})
    assert set(shown["outcomes"][0]) == {"sample", "variant", "answer", "error", "reused", "scores"}
    assert set(shown["outcomes"][0]["scores"]["contains"]) == {"value", "passed", "reason"}
    keys = {"runs", "baseline", "differences", "changed", "left_out"}
    assert len(printed(ines("eval", "compare", "run-1", "run-1", "--json"), keys)["runs"]) == 2


def test_the_policy(ines: Assay, tomas: Assay) -> None:
    keys = {"policy", "author", "saved", "settings"}
    held = printed(tomas("vault", "policy", "--json"), keys)
    assert (held["policy"], held["settings"]["approved.reviewers"]) == (None, "1")
    changed = ines("vault", "policy", "--set", "idle-minutes=10", "--reason", "shared office", "--json")
    assert "| idle-minutes = 10" in changed.said, "who signs sees all of it"
    assert printed(changed, keys)["policy"] == "policy@1"
    ines.refuses("vault", "policy", "--set", "colour=blue", "--reason", "x", code=8, saying="no such setting")


def test_packs(ines: Assay, worked: dict[str, Any], tmp_path: Path) -> None:
    pack, trust = tmp_path / "run.pack", tmp_path / "trust.json"
    printed(
        ines("pack", "export", "run-1", "-o", pack, "--nonce", "for Nora, 21 November", "--json"),
        {"pack", "sha256", "size"},
    )
    assert printed(ines("pack", "trust", "-o", trust, "--json"), {"trust", "cards", "revoked"})["revoked"] == 0
    verdict = printed(ines("pack", "verify", pack, "--trust", trust, "--json"), VERDICT)
    assert verdict["verdict"] == "valid"
    assert verdict["nonce"] == "for Nora, 21 November"
    assert set(verdict["signatures"][0]) == {"name", "meaning", "time", "subject", "reason", "status"}
    told = printed(ines("pack", "redact", pack, "--field", "answer", "--preview", "--json"), REDACTION)
    left, sealed, keys = tmp_path / "left.pack", tmp_path / "left.sealed", tmp_path / "nora.keys"
    made = printed(
        ines("pack", "redact", pack, "-o", left, "--field", "answer", "--yes", "--json"),
        REDACTION | {"pack", "sha256", "size"},
    )
    assert (made["fields"], made["redaction_of"]) == (told["fields"], told["redaction_of"])
    said = printed(ines("pack", "verify", left, "--trust", trust, "--json"), VERDICT)
    assert (said["verdict"], said["withheld"]) == ("valid", told["fields"])
    printed(ines("pack", "keys", "-o", keys, "--json"), {"keys", "public", "name", "fingerprint"})
    public = tmp_path / "nora.keys.pub"
    printed(ines("pack", "seal", left, "--to", public, "-o", sealed, "--json"), {"sealed", "to", "fingerprint"})
    back = tmp_path / "back.pack"
    printed(ines("pack", "open", sealed, "--keys", keys, "-o", back, "--json"), {"pack", "sha256", "size"})
    assert back.read_bytes() == left.read_bytes()
    unknown = ines("pack", "verify", pack, "--json")
    assert (unknown.code, unknown.json["verdict"]) == (1, "incomplete")
    (tmp_path / "other.json").write_text("{}")
    ines.refuses("pack", "verify", pack, "--trust", tmp_path / "other.json", code=10, saying="other.json")


def test_people_models_and_the_log(ines: Assay) -> None:
    people = printed(ines("user", "list", "--json"), {"users"})["users"]
    assert all(set(person) == {"user", "name", "roles", "card", "active"} for person in people)
    card = printed(ines("user", "card", "tomas", "--json"), CARD)
    assert (card["groups"].replace(" ", ""), card["revoked"]) == (card["fingerprint"], None)
    known = printed(ines("model", "list", "--json"), {"models"})["models"]
    assert all(set(model) == MODEL for model in known)
    printed(ines("model", "show", "starter-embed", "--json"), MODEL | {"merged"})
    (entry,) = printed(ines("audit", "log", "--limit", "1", "--json"), {"entries", "size", "next"})["entries"]
    assert set(entry) == ENTRY
    printed(ines("audit", "checkpoint", "--json"), {"checkpoint", "file"})
    checked = printed(ines("vault", "check", "--json"), {"findings", "erased"})
    assert (checked["findings"], checked["erased"]) == ([], 0)


def test_keeping_holding_and_erasing(ines: Assay, tomas: Assay, worked: dict[str, Any]) -> None:
    """Last of what uses `worked` but for the interruption: it erases the first version of the sheet."""
    rules = {"rules", "due", "erased", "tombstones", "done"}
    tried = printed(ines("vault", "retention", "--set", "traces=30", "--json"), rules)
    assert (tried["done"], tried["rules"]) == (False, [])
    kept = printed(
        ines("vault", "retention", "--set", "traces=30", "--reason", "our schedule", "--yes", "--json"), rules
    )
    assert kept["rules"] == [{"name": "traces", "days": 30}]
    ines.refuses("vault", "retention", "--set", "log=30", "--yes", code=8, saying="for ever")
    hold = ("vault", "hold", "Case 4", "collection:sheets", "--reason", "letter of 3 May")
    (held,) = printed(tomas(*hold, "--yes", "--json"), {"holds", "done"})["holds"]
    assert set(held) == {"name", "reason", "things", "user", "time", "released"}
    assert held["things"] == [{"kind": "collection", "id": "sheets", "label": "sheets"}]
    erase = ("vault", "erase", "document:sheets/sheet.txt", "--quoting", "--reason", "request 12")
    keys = {"items", "records", "blobs", "bytes", "remains", "tombstones", "done"}
    plan = printed(ines(*erase, "--json"), keys)
    assert set(plan["items"][0]) == {"kind", "digest", "label", "time", "holds"}
    assert plan["items"][0]["holds"] == ["Case 4"]
    ines.refuses(*erase, "--yes", code=4, saying="Case 4")
    (ended,) = printed(tomas("vault", "release", "Case 4", "--reason", "closed", "--yes", "--json"), {"holds", "done"})[
        "holds"
    ]
    assert set(ended["released"]) == {"user", "time", "reason"}
    done = printed(ines(*erase, "--yes", "--json"), keys)
    assert (done["done"], len(done["tombstones"])) == (True, 1)
    assert printed(ines("documents", "list", "sheets", "--json"), {"documents", "older"})["documents"] == []
    checked = printed(ines("vault", "check", "--json"), {"findings", "erased"})
    assert (checked["findings"], checked["erased"]) == ([], done["records"] + done["blobs"])
    ines.refuses("vault", "erase", "sheets", "--reason", "r", code=8, saying="KIND:NAME")


@pytest.mark.skipif(sys.platform != "linux", reason="the processes at work are seen in /proc")
def test_an_interrupted_evaluation_is_closed_as_cancelled(ines: Assay, worked: dict[str, Any], files: Path) -> None:
    lines = [
        f'{{"id": "{number}", "input": "What is point {number} of R-12?", "target": "11"}}' for number in range(1000)
    ]
    (files / "many.jsonl").write_text("\n".join(lines))
    (files / "many.yaml").write_text(
        SPEC.replace("name: small", "name: many").replace("dataset: samples", "dataset: many")
    )
    assert ines("dataset", "add", "many", files / "many.jsonl").code == 0
    program = Path(sys.executable).with_name("assay")
    environment = {
        **os.environ,
        "ASSAY_VAULT": str(ines.vault),
        "ASSAY_USER": ines.user,
        "ASSAY_PASSPHRASE_FILE": str(ines.passphrase),
    }
    running = subprocess.Popen(
        [program, "eval", "run", files / "many.yaml", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert until(lambda: workers_of(running.pid) >= WORKERS_OF_A_RUN or running.poll() is not None, seconds=300)
    running.send_signal(signal.SIGINT)
    out, said = running.communicate(timeout=300)
    assert (running.returncode, json.loads(out)["status"]) == (130, "cancelled"), said
    assert ines("eval", "list", "--json").json["runs"][0]["status"] == "cancelled"


def test_what_is_removed_takes_a_reason_where_the_policy_asks_for_one(ines: Assay, tmp_path: Path) -> None:
    (tmp_path / "spare.txt").write_text(SHEET)
    model = tmp_path / "spare.gguf"
    model.write_bytes((RESOURCES / "models" / "starter-chat.gguf").read_bytes() + b"\0")
    assert ines("documents", "add", "spare", tmp_path / "spare.txt").code == 0
    assert ines("model", "add", model, "--name", "spare").code == 0
    acts = "reasons=revoke-user,remove-documents,remove-model"
    assert ines("vault", "policy", "--set", acts, "--reason", "as agreed").code == 0
    for keys, words in (
        ({"collection", "document", "digest"}, ("documents", "remove", "spare", "spare.txt")),
        ({"model", "digest", "freed"}, ("model", "remove", "spare")),
    ):
        ines.refuses(*words, code=8, saying="asks for a reason")
        printed(ines(*words, "--reason", "superseded", "--json"), keys)
    ines.refuses(*words, "--reason", "superseded", code=6, saying="spare")
    entries = ines("audit", "log", "--limit", "20", "--json").json["entries"]
    given = [(entry["act"], entry["reason"]) for entry in entries if entry["act"].startswith("remove-")]
    assert sorted(given) == [("remove-documents", "superseded"), ("remove-model", "superseded")]


def keyring_package(folder: Path) -> None:
    """A Python package `keyring` whose backend counts as one that the system protects; it keeps what it is given in a file."""
    backends = folder / "keyring" / "backends"
    backends.mkdir(parents=True)
    (backends / "__init__.py").write_text("")
    (backends / "SecretService.py").write_text("class Keyring: pass\n")
    (folder / "keyring" / "errors.py").write_text("class KeyringError(Exception): pass\n")
    (folder / "keyring" / "__init__.py").write_text(
        "import pathlib\n"
        "from keyring import errors\n"
        "from keyring.backends.SecretService import Keyring\n"
        "KEPT = pathlib.Path(__file__).with_name('kept')\n"
        "def get_keyring(): return Keyring()\n"
        "def get_password(service, name): return KEPT.read_text() if KEPT.exists() else None\n"
        "def set_password(service, name, secret): KEPT.write_text(secret)\n"
        "def delete_password(service, name): KEPT.unlink()\n"
    )


def test_the_keyring(ines: Assay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("keyring") is None:
        ines.refuses("vault", "remember", code=16, saying="package keyring isn't installed")
    keyring_package(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    keys = {"vault", "user", "remembered"}
    assert printed(ines("vault", "remember", "--json"), keys)["remembered"] is True
    assert (tmp_path / "keyring" / "kept").read_text()
    assert printed(ines("vault", "forget", "--json"), keys)["remembered"] is False
    assert not (tmp_path / "keyring" / "kept").exists()


def test_roles_cards_and_keys(ines: Assay) -> None:
    card = {"user", "name", "roles", "card", "waits"}
    roles = printed(ines("user", "roles", "tomas", "--role", "reviewer", "--reason", "as before", "--json"), card)
    assert (roles["roles"], roles["waits"]) == (["reviewer"], False)
    assert printed(ines("user", "renew", "tomas", "--json"), card)["waits"] is True
    assert printed(ines("vault", "rekey", "--reason", "yearly", "--json"), {"epoch"}) == {"epoch": 2}
    assert len(printed(ines("vault", "recovery", "--json"), {"words"})["words"]) == 16
    ines.refuses("user", "revoke", "ines", "--reason", "x", code=4, saying="last administrator", announced=True)
