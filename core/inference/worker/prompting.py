"""From messages to a prompt's tokens.

Rules: a conversation goes through the file's own chat template or through none, and a file without one is an error; what people and
documents brought is never read as a special token.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from types import MappingProxyType, ModuleType
from typing import Any, Final

from msgspec.structs import replace

from core.errors import BadInput, Unsupported
from core.inference.records import TEXT, Generate, Message, PromptToken
from core.inference.worker import calls, inspecting, templates
from core.inference.worker.vocabulary import Vocabulary, free_mark

NOTHING: Final[Mapping[int, Mapping[str, Any]]] = MappingProxyType({})


class Prompter:
    """A loaded model's chat template and vocabulary."""

    def __init__(self, library: ModuleType, model: Any, name: str, vocabulary: Vocabulary) -> None:
        template: bytes | None = library.llama_model_chat_template(model, None)
        self._template = (template or b"").decode("utf-8", "replace")
        self._shows_calls = "tool_calls" in self._template
        self._vocabulary = vocabulary
        self._name = name

    def prompt(self, request: Generate) -> tuple[str, list[int]]:
        """The text that the model sees, and its tokens. Raises `Unsupported`, `TemplateError`, `BadInput`."""
        _, text, mark = self._rendered(request)
        ids = self._vocabulary.tokens(text, mark)
        if not ids:
            raise BadInput(source="The prompt", problem="it is empty. Write something.")
        return text.replace(mark, ""), ids

    def parts(self, request: Generate, cut: str) -> tuple[str, list[list[int]]]:
        """The text, and the tokens of its parts between the characters `cut`. Raises as `prompt`."""
        _, text, mark = self._rendered(request)
        first, *others = text.split(cut)
        following = [
            [token for part in other.split(mark) for token in self._vocabulary.pieces(part)] for other in others
        ]
        return text.replace(mark, ""), [self._vocabulary.tokens(first, mark), *following]

    def tokens(self, request: Generate) -> tuple[str, tuple[PromptToken, ...]]:
        """The same text and tokens, each token with its text, its kind and its message. Raises as `prompt`."""
        messages, text, mark = self._rendered(request)
        tools = _mapped(request.tools, lambda found: self._vocabulary.guard(found, mark))
        more = self._more(request, mark)
        render = partial(self._text, mode=request.mode, tools=tools, more=more)
        return text.replace(mark, ""), inspecting.tokens(self._vocabulary, messages, text, mark, render)

    def _rendered(self, request: Generate) -> tuple[tuple[Message, ...], str, str]:
        """The messages, guarded; the text that they become; and the mark that stands in both."""
        messages = request.messages
        if request.variables is not None:
            messages = templates.render_messages(messages, request.variables)
        if self._shows_calls:
            texts = {len(messages) - turn.back: turn.text for turn in request.turns if turn.calls}
            messages = tuple(replace(one, content=texts.get(n, one.content)) for n, one in enumerate(messages))
        called = (value for turn in request.turns for value in _texts(list(turn.calls)))
        mark = free_mark(chain((message.content for message in messages), _texts(request.tools), called))
        guard = self._vocabulary.guard
        guarded = tuple(replace(message, content=guard(message.content, mark)) for message in messages)
        tools = _mapped(request.tools, lambda text: guard(text, mark))
        return guarded, self._text(guarded, request.mode, tools, self._more(request, mark)), mark

    def _more(self, request: Generate, mark: str) -> dict[int, dict[str, Any]]:
        """What the template sees of earlier calls, by the messages' places from the end; nothing where it shows none, and then they are text."""
        if not self._shows_calls:
            return {}
        return calls.shown(request.turns, lambda part: _mapped(part, lambda text: self._vocabulary.guard(text, mark)))

    def _text(
        self, messages: Sequence[Message], mode: str, tools: Any = (), more: Mapping[int, Mapping[str, Any]] = NOTHING
    ) -> str:
        return messages[0].content if messages[0].role == TEXT else self._chat(messages, mode, tools, more)

    def _chat(self, messages: Sequence[Message], mode: str, tools: Any, more: Mapping[int, Mapping[str, Any]]) -> str:
        if not self._template:
            raise Unsupported(
                source=self._name,
                reason="the file brings no chat template, and none is guessed. Choose a chat model, or send one message as text.",
            )
        if tools and "tools" not in self._template:
            raise Unsupported(
                source=self._name,
                reason="its chat template shows no tools. Ask for a call (tool_choice), or choose another model.",
            )
        return templates.render_chat(
            f"The chat template of {self._name}",
            self._template,
            messages,
            self._vocabulary.text(self._vocabulary.first),
            self._vocabulary.text(self._vocabulary.last),
            templates.FIXED_DATE if mode == "reproducible" else datetime.now(),
            tools,
            more=more,
        )


def _texts(part: Any) -> Iterator[str]:
    """Every text in a JSON value, keys too."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        yield from chain.from_iterable(_texts(one) for pair in part.items() for one in pair)
    elif isinstance(part, list | tuple):
        yield from chain.from_iterable(map(_texts, part))


def _mapped(part: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every text changed."""
    if isinstance(part, str):
        return change(part)
    if isinstance(part, dict):
        return {change(key): _mapped(value, change) for key, value in part.items()}
    return [_mapped(one, change) for one in part] if isinstance(part, list | tuple) else part
