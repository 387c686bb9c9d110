"""Importing and quantizing through workers: the result is registered, and nothing is left where it failed."""

import math
from pathlib import Path

import pytest

from core.errors import AlreadyExists, BadInput, Cancelled, NotFound, Unsupported
from core.jobs import Job, Progress
from core.models.making import ModelMaking
from core.models.making_records import ImportModel, Quantized, QuantizeFile, QuantizeModel
from core.models.records import AddModel
from core.models.service import Models
from core.vault.vault import Vault
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor
from tests.golden import families

TEXT = (
    "Once upon a time there was a small dog who lived in a big red house. He liked to play with his ball all day. " * 12
)


@pytest.fixture
def making(vault: Vault, models: Models, supervisor: Supervisor) -> ModelMaking:
    return ModelMaking(vault, models, supervisor)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "hub"
    place.mkdir()
    return families.write(place / "small-llama", "llama", families.golden()["llama"])


def test_an_imported_folder_is_a_registered_model(making: ModelMaking, models: Models, folder: Path) -> None:
    seen: list[Progress] = []
    made = making.import_folder(ImportModel(folder=str(folder), quantization="f16"), Job("Import", seen.append))
    assert made.model == models.show("small-llama-f16")
    assert made.model.path == str(folder.parent / "small-llama-f16.gguf")
    assert (made.model.architecture, made.model.quantization, made.model.purpose) == ("llama", "f16", "chat")
    assert made.model.has_template
    assert made.model.tokenizer
    assert seen[-1].done == seen[-1].total
    assert sorted(path.name for path in folder.parent.iterdir()) == ["small-llama", "small-llama-f16.gguf"]
    with pytest.raises(AlreadyExists):
        making.import_folder(ImportModel(folder=str(folder), quantization="f16"), Job("Import"))


def test_a_failed_import_leaves_nothing(making: ModelMaking, folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "unheard-of"}')
    with pytest.raises(Unsupported, match="unheard-of"):
        making.import_folder(ImportModel(folder=str(folder)), Job("Import"))
    assert [path.name for path in folder.parent.iterdir()] == ["small-llama"]
    with pytest.raises(NotFound, match="nowhere"):
        making.import_folder(ImportModel(folder=str(folder / "nowhere")), Job("Import"))
    with pytest.raises(BadInput, match="one of"):
        making.import_folder(ImportModel(folder=str(folder), quantization="q9"), Job("Import"))


def test_a_cancelled_import_leaves_nothing(making: ModelMaking, folder: Path) -> None:
    job = Job("Import", lambda progress: job.cancel())
    with pytest.raises(Cancelled):
        making.import_folder(ImportModel(folder=str(folder)), job)
    assert [path.name for path in folder.parent.iterdir()] == ["small-llama"]


def test_a_model_is_quantized_and_its_loss_measured(making: ModelMaking, models: Models, stories: Path) -> None:
    before = models.add(AddModel(path=str(stories)))
    made = making.quantize(QuantizeModel(model="stories", quantization="q8_0", text=TEXT), Job("Quantize"))
    assert made.model.quantization == "q8_0"
    assert made.model.size < before.size == made.before
    assert made.compared is not None
    assert made.compared.tokens > 100
    assert 1 < made.compared.first_perplexity < 50
    assert made.compared.second_perplexity == pytest.approx(made.compared.first_perplexity, rel=0.05)
    assert 0 < made.compared.divergence < 0.05
    assert made.compared.divergence <= made.compared.divergence_99
    worse = making.quantize(QuantizeModel(model="stories", quantization="Q4_0", text=TEXT), Job("Quantize")).compared
    assert worse is not None
    assert worse.divergence > made.compared.divergence
    assert worse.same_top < 1


def test_the_same_model_diverges_by_nothing(making: ModelMaking, models: Models, stories: Path) -> None:
    models.add(AddModel(path=str(stories)))
    found = making.compare("stories", "stories", TEXT, Job("Compare"))
    assert found.divergence == pytest.approx(0, abs=1e-9)
    assert found.same_top == 1
    assert math.isclose(found.first_perplexity, found.second_perplexity)
    with pytest.raises(BadInput, match="16 tokens"):
        making.compare("stories", "stories", "Too short.", Job("Compare"))


def test_a_quantized_file_is_taken_again_only_when_asked(
    making: ModelMaking, models: Models, supervisor: Supervisor, stories: Path
) -> None:
    models.add(AddModel(path=str(stories)))
    made = making.quantize(QuantizeModel(model="stories", quantization="q8_0"), Job("Quantize"))
    with pytest.raises(BadInput, match="quantized already"):
        making.quantize(QuantizeModel(model=made.model.name, quantization="q4_0"), Job("Quantize"))
    out = stories.parent / "work" / "again.gguf"
    out.parent.mkdir()
    ask = QuantizeFile(
        path=made.model.path,
        out=str(out),
        name="it",
        quantization="Q4_0",
        threads=1,
        again=False,
        pure=False,
        expected=1,
    )
    spec = WorkerSpec(
        module="core.models.worker.quantizing", readable=(made.model.path,), writable=(str(out.parent),), title="It"
    )
    with supervisor.start(spec) as worker, pytest.raises(Unsupported, match="Q4_0"):
        worker.call(ask, Quantized)
    assert making.quantize(
        QuantizeModel(model=made.model.name, quantization="q4_0", again=True), Job("Quantize")
    ).model.name.endswith("q4_0")
