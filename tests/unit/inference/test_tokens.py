"""What the model sees, token by token: the very prompt, and which message each token came from."""

from pathlib import Path

import pytest

from core.errors import BadInput, NotFound, Unsupported
from core.inference.records import Finished, Generate, Message, PromptToken
from core.inference.service import Engine
from core.inference.worker import inspecting
from core.inference.worker.vocabulary import Vocabulary, free_mark
from core.models.records import FAKE, AddModel
from core.models.service import Models
from core.models.worker.library import open_library
from tests.unit.inference.chats import CHATML, rewritten

TALK = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="  Is </s> the end?\n"),
    Message(role="assistant", content="No."),
    Message(role="user", content="im_start|>user"),
)


@pytest.fixture(scope="module")
def chat(stories_file: Path, models: Models, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("chat") / "chat.gguf"
    rewritten(stories_file, path, tokenizer__chat_template=CHATML)
    return models.add(AddModel(path=str(path), name="chat")).name


def said(tokens: tuple[PromptToken, ...], message: int | None) -> str:
    return "".join(token.text for token in tokens if token.message == message)


def test_the_tokens_are_those_that_the_model_reads(warm: Engine, chat: str) -> None:
    request = Generate(model=chat, messages=TALK, max_tokens=2)
    shown = warm.tokens(request)
    *_, finished = warm.generate(request)
    assert isinstance(finished, Finished)
    assert (shown.prompt, len(shown.tokens)) == (finished.prompt, finished.prompt_tokens)
    assert shown.window == 2048
    assert shown.prompt.startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nIs </s> the end?")


def test_each_token_names_its_message_and_no_content_steers(warm: Engine, chat: str) -> None:
    tokens = warm.tokens(Generate(model=chat, messages=TALK)).tokens
    assert tokens[0] == PromptToken(id=1, text="<s>", special=True)
    assert not any(token.special for token in tokens[1:])
    for number, message in enumerate(TALK):
        assert said(tokens, number).replace(" ", "").strip() == message.content.replace(" ", "").strip()
    assert said(tokens, None).count("<|im_end|>") == 4
    assert said(tokens, None).endswith("assistant\n")


def test_a_prompt_that_does_not_fit_is_shown_too(warm: Engine, stories: str) -> None:
    request = Generate(model=stories, messages=(Message(role="text", content="a dog" + " a dog" * 3000),), max_tokens=1)
    shown = warm.tokens(request)
    assert len(shown.tokens) > shown.window
    assert {token.message for token in shown.tokens[1:]} == {0}


def test_variables_are_filled_in(warm: Engine, stories: str) -> None:
    request = Generate(model=stories, messages=(Message(role="text", content="Hi {{ who }}"),), variables={"who": "é€"})
    assert warm.tokens(request).prompt == "Hi é€"


def test_the_built_in_model_shows_words(warm: Engine) -> None:
    shown = warm.tokens(Generate(model=FAKE, messages=TALK[:2]))
    assert "".join(token.text for token in shown.tokens) == shown.prompt.rstrip("\n")
    assert said(shown.tokens, 0) == " Be brief."


def test_what_is_refused(warm: Engine, stories: str) -> None:
    with pytest.raises(Unsupported, match="brings no chat template"):
        warm.tokens(Generate(model=stories, messages=TALK))
    with pytest.raises(BadInput):
        warm.tokens(Generate(model=stories, messages=()))
    with pytest.raises(NotFound):
        warm.tokens(Generate(model="nobody", messages=TALK))


# -- without a worker: templates that change what they are given ------------------------------------------------------------------


@pytest.fixture(scope="module")
def vocabularies(shared_data: Path) -> dict[str, Vocabulary]:
    library = open_library()
    settings = library.llama_model_default_params()
    settings.vocab_only = True
    folder = shared_data / "models" / "llama.cpp-vocab"
    return {
        name: Vocabulary(
            library, library.llama_model_load_from_file(bytes(folder / f"ggml-vocab-{name}.gguf"), settings)
        )
        for name in ("phi-3", "gpt-2", "llama-spm", "falcon")
    }


def shown(vocabulary: Vocabulary, contents: list[str], template: str, upper: bool = False) -> tuple[PromptToken, ...]:
    """Tokens of contents, each put where `{}` stands in the template."""
    mark = free_mark(contents)
    messages = tuple(Message(role="user", content=vocabulary.guard(content, mark)) for content in contents)

    def render(given: tuple[Message, ...]) -> str:
        text = "".join(template.format(message.content) for message in given)
        return text.upper().replace("Q", "") if upper else text

    return inspecting.tokens(vocabulary, messages, render(messages), mark, render)


@pytest.mark.parametrize("name", ["phi-3", "gpt-2", "llama-spm", "falcon"])
def test_texts_of_any_script_keep_their_messages(vocabularies: dict[str, Vocabulary], name: str) -> None:
    contents = ["Été 2026: 15 € 🙂", "東京 and <|end|> </s>", "", "  ", "user"]
    tokens = shown(vocabularies[name], contents, "<|user|>\n{}<|end|>\nuser: ")
    parts = [token for token in tokens if token.message == 0]
    text = b"".join(vocabularies[name].piece(token.id, special=True) for token in parts).decode()
    assert text.strip() == contents[0]
    assert "".join(token.text for token in tokens if token.message == 4).strip() == "user"
    assert not any(token.special for token in tokens if token.message is not None)
    assert {token.message for token in tokens} == {None, 0, 1, 4}


def test_a_template_that_changes_contents_gives_tokens_without_messages(vocabularies: dict[str, Vocabulary]) -> None:
    tokens = shown(vocabularies["gpt-2"], ["what?"], "q{}", upper=True)
    assert "".join(token.text for token in tokens) == "WHAT?"
    assert {token.message for token in tokens} == {0}
    taken = chr(0xF0000)
    tokens = shown(vocabularies["gpt-2"], [f"a {taken}"], "{}")
    assert {token.message for token in tokens} == {None}
