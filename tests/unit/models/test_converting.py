"""Folders of every family, converted: tokens as in the folder's own tokenizer, logits as `transformers` computes them."""

import ctypes
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
from safetensors.numpy import save_file

from core.errors import AssayError, BadInput, Damaged, Unsupported
from core.models.making_records import Converted, ConvertFolder
from core.models.worker.converting import folder as converting
from core.models.worker.converting import weights
from core.models.worker.converting.tokenizers import texts
from core.models.worker.library import open_library
from tests.golden import families

GOLDEN = families.golden()
GELU = 2e-3
"""llama.cpp looks GELU up in a table of half-precision numbers; its difference alone is up to 1e-3 a layer."""
CLOSE = {"gemma2": GELU, "gemma3_text": GELU}


class Call:
    """Takes reports."""

    def report(self, done: int, total: int | None, unit: str) -> None:
        assert unit == "bytes"
        assert 0 <= done <= (total or 0)


def convert(folder: Path, out: Path, kind: str = "f32") -> Converted:
    request = ConvertFolder(folder=str(folder), out=str(out), quantization=kind, name=folder.name)
    return converting.convert(request, Call())  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("families")
    for family, kept in GOLDEN.items():
        families.write(place / family, family, kept)
    return place


def computed(path: Path, embeds: bool) -> np.ndarray[Any, Any]:
    """Logits after the last two of `families.IDS`, or the text's vector."""
    library = open_library()
    model = library.llama_model_load_from_file(bytes(path), library.llama_model_default_params())
    settings = library.llama_context_default_params()
    settings.n_ctx = settings.n_batch = settings.n_ubatch = 128
    settings.type_k = settings.type_v = 0
    settings.n_threads = settings.n_threads_batch = 1
    settings.flash_attn_type = library.LLAMA_FLASH_ATTN_TYPE_DISABLED
    settings.embeddings = embeds
    context = library.llama_init_from_model(model, settings)
    batch = library.llama_batch_init(64, 0, 1)
    batch.n_tokens = len(families.IDS)
    for place, token in enumerate(families.IDS):
        batch.token[place], batch.pos[place], batch.n_seq_id[place], batch.logits[place] = token, place, 1, 1
        batch.seq_id[place][0] = 0
    assert (library.llama_encode if embeds else library.llama_decode)(context, batch) == 0

    def row(pointer: Any, size: int) -> np.ndarray[Any, Any]:
        return np.ctypeslib.as_array(pointer, (size,)).copy()

    if embeds:
        found = [row(library.llama_get_embeddings_seq(context, 0), library.llama_model_n_embd(model))]
    else:
        last = len(families.IDS)
        found = [row(library.llama_get_logits_ith(context, n), families.SHOWN) for n in (last - 2, last - 1)]
    library.llama_batch_free(batch)
    library.llama_free(context)
    library.llama_model_free(model)
    return np.stack(found)


def tokens(path: Path, text: str) -> list[int]:
    library = open_library()
    settings = library.llama_model_default_params()
    settings.vocab_only = True
    model = library.llama_model_load_from_file(bytes(path), settings)
    room = (ctypes.c_int32 * 4096)()
    data = text.encode()
    count = library.llama_tokenize(library.llama_model_get_vocab(model), data, len(data), room, 4096, True, True)
    library.llama_model_free(model)
    return list(room[:count])


@pytest.mark.parametrize("family", sorted(GOLDEN))
def test_a_converted_model_computes_and_reads_as_the_original(folders: Path, tmp_path: Path, family: str) -> None:
    out = tmp_path / "made.gguf"
    found = convert(folders / family, out)
    assert found.texts == len(texts()) or (family == "bert" and found.texts >= 0.9 * len(texts()))
    assert len(texts()) >= 200
    wanted = np.array(GOLDEN[family]["values"])
    assert np.abs(computed(out, family == "bert") - wanted).max() <= CLOSE.get(family, 1e-3)
    assert np.abs(wanted).max() > 0.5  # otherwise everything would be near
    own = tokenizers.Tokenizer.from_file(str(folders / family / "tokenizer.json"))
    text = "The committee met on 3 March 2025; naïve café, 100000 × 2."
    assert tokens(out, text) == own.encode(text).ids


@pytest.mark.parametrize("kind", ["f16", "bf16", "q8_0"])
def test_smaller_types_are_near(folders: Path, tmp_path: Path, kind: str) -> None:
    out, full = tmp_path / "made.gguf", tmp_path / "full.gguf"
    convert(folders / "qwen3", out, kind)
    convert(folders / "qwen3", full)
    assert out.stat().st_size < full.stat().st_size
    wanted = np.array(GOLDEN["qwen3"]["values"])
    assert 0 < np.abs(computed(out, False) - wanted).max() < 0.15


def test_what_a_conversion_must_tell_is_noted(folders: Path, tmp_path: Path) -> None:
    assert "sliding window" in convert(folders / "mistral", tmp_path / "a.gguf").notes[0]
    notes = convert(folders / "bert", tmp_path / "b.gguf").notes
    assert [("texts" in note, "mean" in note) for note in notes] == [(True, False), (False, True)]


def changed(folders: Path, place: Path, family: str, **words: Any) -> Path:
    """A copy of a family's folder with another config."""
    place.mkdir()
    for path in (folders / family).iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    config = GOLDEN[family]["config"] | words
    (place / "config.json").write_text(json.dumps(config), "utf-8")
    return place


@pytest.mark.parametrize(
    ("family", "words", "says"),
    [
        ("llama", {"model_type": "mamba"}, "not known here"),
        ("llama", {"mlp_bias": True}, "biases"),
        ("llama", {"hidden_act": "relu"}, "activation"),
        ("llama", {"quantization_config": {"bits": 4}}, "quantized already"),
        ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2}}, "rule dynamic"),
        ("llama", {"num_hidden_layers": 3}, "blk.2"),
        ("llama", {"num_attention_heads": "many"}, "num_attention_heads"),
        ("llama", {"num_attention_heads": -1}, "num_attention_heads"),
        ("llama", {"num_attention_heads": 7}, "heads"),
        ("gemma2", {"query_pre_attn_scalar": 144}, "scaled by 144"),
        ("gemma3_text", {"layer_types": ["full_attention"] * 7}, "another order"),
        ("phi3", {"rope_parameters": {"rope_type": "longrope", "short_factor": [1], "long_factor": [1]}}, "factor"),
        ("bert", {"position_embedding_type": "relative_key"}, "absolute"),
    ],
)
def test_what_llama_cpp_computes_otherwise_is_refused(
    folders: Path, tmp_path: Path, family: str, words: dict[str, Any], says: str
) -> None:
    with pytest.raises(AssayError, match=says):
        convert(changed(folders, tmp_path / "other", family, **words), tmp_path / "made.gguf")


def test_pickled_weights_are_never_read(folders: Path, tmp_path: Path) -> None:
    place = changed(folders, tmp_path / "other", "llama")
    (place / "model.safetensors").rename(place / "pytorch_model.bin")
    with pytest.raises(Unsupported, match="pickled"):
        convert(place, tmp_path / "made.gguf")


def test_another_tokenizer_is_refused(folders: Path, tmp_path: Path) -> None:
    place = changed(folders, tmp_path / "other", "mistral")
    content = json.loads((place / "tokenizer.json").read_text("utf-8"))
    content["model"]["merges"] = content["model"]["merges"][::-1][:200]
    (place / "tokenizer.json").write_text(json.dumps(content), "utf-8")
    with pytest.raises(Unsupported, match="same tokens"):
        convert(place, tmp_path / "made.gguf")


def header(path: Path, change: Any) -> Path:
    """A safetensors file whose header was changed."""
    save_file({"a": np.ones((2, 3), np.float32), "b": np.ones(4, np.float32)}, path)
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    content = json.loads(data[8 : 8 + length])
    text = change(content)
    packed = (text if isinstance(text, str) else json.dumps(content)).encode()
    path.write_bytes(len(packed).to_bytes(8, "little") + packed + data[8 + length :])
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["a"].update(shape=[2**40, 2**40]),
        lambda content: content["a"].update(shape=[-2, -3]),
        lambda content: content["a"].update(shape=[2.0, 3.0]),
        lambda content: content["a"].update(shape=[2, 4]),
        lambda content: content["a"].update(shape=[[2], 3]),
        lambda content: content["a"].update(data_offsets=[8, 32]),
        lambda content: content["a"].update(data_offsets=[24, 0]),
        lambda content: content["b"].update(data_offsets=content["a"]["data_offsets"], shape=[2, 3]),
        lambda content: content["b"].update(data_offsets=[10**9, 10**9 + 16]),
        lambda content: content.update(b=7),
        lambda content: content.update(b=None),
        lambda content: '{"a": 1, "a": 2}',
        lambda content: "[" * 100_000,
        lambda content: "not json",
        lambda content: "[]",
    ],
)
def test_a_false_header_is_one_sentence(tmp_path: Path, change: Any) -> None:
    with pytest.raises(Damaged, match=r"model\.safetensors"):
        weights.header(header(tmp_path / "model.safetensors", change))


def test_every_cut_of_a_small_file_is_told(tmp_path: Path) -> None:
    whole = header(tmp_path / "model.safetensors", lambda content: None).read_bytes()
    for size in range(len(whole)):
        (tmp_path / "model.safetensors").write_bytes(whole[:size])
        with pytest.raises(Damaged):
            weights.header(tmp_path / "model.safetensors")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_told(tmp_path: Path, value: float) -> None:
    save_file({"a": np.array([1, value], np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(Damaged, match="finite"):
        weights.read(weights.tensors(tmp_path)["a"])


def test_an_index_reaches_nowhere_else(tmp_path: Path) -> None:
    save_file({"a": np.ones(2, np.float32)}, tmp_path / "model.safetensors")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / weights.INDEX).write_text(json.dumps({"weight_map": {"a": "../model.safetensors"}}))
    with pytest.raises(BadInput, match="outside"):
        weights.tensors(folder)


def test_several_files_are_one_model(tmp_path: Path) -> None:
    save_file({"a": np.ones(2, np.float32)}, tmp_path / "one.safetensors")
    save_file({"b": np.full(3, 2, np.float16)}, tmp_path / "two.safetensors")
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    (tmp_path / weights.INDEX).write_text(json.dumps(index))
    found = weights.tensors(tmp_path)
    assert sorted(found) == ["a", "b"]
    assert weights.read(found["b"]).tolist() == [2, 2, 2]
