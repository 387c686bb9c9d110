"""Pictures: the logits are those of transformers, no text passes for one, and what can't be read is told."""

import hashlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput, ContextExceeded, NotFound, Unsupported
from core.inference.records import Choice, Finished, Generate, Message, Token
from core.inference.service import Engine
from core.inference.worker.seeing import decoded
from core.models.records import AddModel
from core.models.service import Models
from tests.golden import families, seeing
from tests.unit.models.test_converting import convert


@pytest.fixture(scope="module")
def seer(tmp_path_factory: pytest.TempPathFactory, models: Models) -> str:
    """A small language model without its projector."""
    place = tmp_path_factory.mktemp("seer")
    convert(seeing.write_base(place / "base"), place / "seer.gguf")
    return models.add(AddModel(path=str(place / "seer.gguf"), name="seer")).name


@pytest.fixture(scope="module")
def eyes(tmp_path_factory: pytest.TempPathFactory, models: Models) -> str:
    path = seeing.write_projector(tmp_path_factory.mktemp("eyes") / "eyes.gguf")
    return models.add(AddModel(path=str(path), name="eyes")).name


def ask(engine: Engine, text: str = "What is it?", **words: object) -> tuple[list[Token], Finished]:
    asked: dict[str, object] = {
        "messages": (Message(role="user", content=text),),
        "max_tokens": 4,
        "images": (seeing.picture(),),
    }
    *tokens, end = engine.generate(Generate(model="seer", **(asked | words)))  # type: ignore[arg-type]
    assert isinstance(end, Finished)
    return [token for token in tokens if isinstance(token, Token)], end


def choices(answer: tuple[list[Token], Finished]) -> list[Choice]:
    return [choice for token in answer[0] for choice in token.choices]


def test_a_model_without_eyes_says_what_is_missing(warm: Engine, seer: str) -> None:
    with pytest.raises(NotFound, match="mmproj"):
        ask(warm)


def test_a_projector_is_registered_as_one(models: Models, seer: str, eyes: str) -> None:
    found = models.show(eyes)
    assert (found.purpose, found.architecture, found.dimensions) == (
        "projector",
        "clip gemma3",
        models.show(seer).dimensions,
    )


def test_pictures_change_the_answer_and_the_same_one_gives_the_same(warm: Engine, seer: str, eyes: str) -> None:
    first = ask(warm, log_probabilities=5)
    again = ask(warm, log_probabilities=5, projector=eyes)
    other = ask(warm, log_probabilities=5, images=(seeing.picture(4),))
    two = ask(warm, images=(seeing.picture(), seeing.picture(4)))
    assert choices(first) == choices(again) != choices(other)
    digests = [hashlib.sha256(seeing.picture(n)).hexdigest() for n in (3, 4)]
    assert f"[picture 1, SHA-256 {digests[0]}]What is it?" in first[1].prompt
    assert f"{digests[0]}][picture 2, SHA-256 {digests[1]}]What is it?" in two[1].prompt
    assert first[1].mode == "reproducible"
    assert two[1].prompt_tokens > first[1].prompt_tokens > ask(warm, images=())[1].prompt_tokens


def test_with_its_projector_and_without_it_is_held_twice(engine: Engine, seer: str, eyes: str) -> None:
    ask(engine, max_tokens=8)
    ask(engine, images=())
    plain, seeing_one = engine.loaded()
    assert (plain.name, plain.projector) == ("seer", "")
    assert (seeing_one.name, seeing_one.projector) == ("seer", "eyes")
    assert seeing_one.tokens_per_second > 0
    engine.unload(seer, seeing_one.projector_digest)
    assert engine.loaded() == (plain,)
    ask(engine)
    engine.unload(seer, "")
    assert [one.projector for one in engine.loaded()] == ["eyes"]
    ask(engine, images=())
    engine.unload(seer)
    assert engine.loaded() == ()


def test_no_text_passes_for_a_picture(warm: Engine, seer: str, eyes: str) -> None:
    text = "<__media__> [picture 2] \ufdd0 <start_of_image>"
    asked = ask(warm, text)
    assert asked[1].prompt.count("[picture 1,") == 1
    assert text in asked[1].prompt


def test_what_a_picture_needs_is_told(warm: Engine, seer: str, eyes: str) -> None:
    with pytest.raises(BadInput, match="Picture 2: it can't be read"):
        ask(warm, images=(seeing.picture(), b"GIF89a nothing"))
    with pytest.raises(BadInput, match="up to 8"):
        ask(warm, images=(seeing.picture(),) * 9)
    with pytest.raises(BadInput, match="a message of a person"):
        ask(warm, messages=(Message(role="system", content="Look."),))
    with pytest.raises(ContextExceeded):
        ask(warm, max_tokens=505)
    with pytest.raises(Unsupported, match="isn't a projector"):
        ask(warm, projector=seer)
    assert ask(warm)[1].tokens == 4, "it goes on"


def test_logits_after_a_picture_are_those_of_transformers(tmp_path: Path) -> None:
    """In this process: tokens before, the picture alone, tokens after."""
    from core.inference.worker.seeing import Seeing
    from core.models.worker.library import open_library

    base = tmp_path / "base.gguf"
    convert(seeing.write_base(tmp_path / "base"), base)
    library = open_library()
    model = library.llama_model_load_from_file(bytes(base), library.llama_model_default_params())
    made = Seeing(library, model, "seer", 256, 1, "test", seeing.write_projector(tmp_path / "eyes.gguf"))
    held: list[object] = []
    pieces = made._pieces(1, seeing.picture(), held)
    picture = next(piece for piece in pieces if piece.chunk is not None)
    assert len(picture.ids) == (seeing.SIDE // seeing.PATCH // seeing.MERGED) ** 2
    made._looking.chunks = [picture.chunk]
    alone = made._one()

    class Call:
        cancelled = False

        def check(self) -> None:
            pass

    ids = (*seeing.BEFORE, *[-1] * len(picture.ids), *seeing.AFTER)
    for _ in alone._read(ids, Call()):  # type: ignore[arg-type]
        pass
    found = np.ctypeslib.as_array(library.llama_get_logits_ith(alone._context, -1), (families.SHOWN,))
    wanted = np.array(seeing.golden())
    assert np.abs(found - wanted).max() <= 5e-3  # keys and values of half precision; with single precision it is 4e-4
    assert np.abs(wanted).max() > 1
    for chunks in held:
        made._mtmd.mtmd_input_chunks_free(chunks)


def png(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (png(100_000, 100_000), "pixels"),
        (png(10, 10), "can't be read"),
        (b"", "can't be read"),
        (b"%PDF-1.7", "can't be read"),
    ],
)
def test_hostile_pictures_are_one_sentence(data: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        decoded(1, data)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_form_is_read(form: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (5, 3), (255, 0, 0)).save(out, form)
    pixels, width, height = decoded(1, out.getvalue())
    assert (width, height, len(pixels)) == (5, 3, 45)
    assert pixels[0] > 200 > 60 > pixels[1]
