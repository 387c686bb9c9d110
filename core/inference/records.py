"""What is asked of a model and what it answers; the requests that cross to the inference workers."""

from typing import Any

from core.records import Digest, Record

MODES = ("reproducible", "fast")
ROLES = ("system", "user", "assistant", "tool")
TEXT = "text"
"""The role of a single message that is continued as it stands, without a chat template."""


class Message(Record, frozen=True, kw_only=True):
    """One turn of a conversation. `role` is one of `ROLES`, or `TEXT` for the only message."""

    role: str
    content: str


class CallTurn(Record, frozen=True, kw_only=True):
    """What a message is beside its text, for chat templates that show earlier calls of functions in their own form."""

    back: int
    """Which message: the last is 1."""
    calls: tuple[dict[str, Any], ...] = ()
    """The calls that an assistant wrote: `id`, `name` and `arguments`, an object. The message's text holds them too, for other templates."""
    text: str = ""
    """What it wrote beside them."""
    answers: str = ""
    """The id of the call whose result the message is."""


class AdapterUse(Record, frozen=True, kw_only=True):
    """A LoRA adapter, and how strongly it works: 1.0 as it was trained, 0 not at all."""

    model: Digest | str
    scale: float = 1.0


class Generate(Record, frozen=True, kw_only=True, tag="generate"):
    """Ask a model for an answer."""

    model: Digest | str
    messages: tuple[Message, ...]
    variables: dict[str, Any] | None = None
    """When given, the messages' contents are Jinja templates, rendered in the worker's sandbox with these JSON values.
    (`Any`, because msgspec decodes no recursive type.)"""
    max_tokens: int = 256
    temperature: float = 0.0
    """0 takes the likeliest token each time."""
    top_p: float = 1.0
    top_k: int = 0
    """0 for no limit."""
    repeat_penalty: float = 1.0
    """Above 1, makes the last 64 tokens of the answer less likely."""
    seed: int = 0
    stop: tuple[str, ...] = ()
    """The answer ends before the first of these texts."""
    grammar: str = ""
    """GBNF that the answer follows."""
    schema: dict[str, Any] | None = None
    """JSON schema that the answer follows; not together with `grammar`."""
    when_broken: str = "refuse"
    """What becomes of an answer that breaks its form: "refuse" raises an error, "say" gives it, and says how in `Finished.broken`."""
    turns: tuple[CallTurn, ...] = ()
    """Earlier calls and their results, among the messages."""
    tools: tuple[dict[str, Any], ...] = ()
    """Functions that the model may call, as its own chat template shows them; a template that shows none is an error."""
    adapters: tuple[AdapterUse, ...] = ()
    """Adapters that the model computes this answer with. Requests with other adapters share nothing with it."""
    images: tuple[bytes, ...] = ()
    """Pictures (PNG, JPEG, WebP, GIF, BMP, TIFF) that stand before the text of the last message of a person; such a request is computed alone."""
    projector: Digest | str = ""
    """The registered mmproj file that the model sees with; "" for the only one that fits."""
    log_probabilities: int = -1
    """-1 for none; 0 and above: each token's, and those of as many of the likeliest ones."""
    mode: str = "reproducible"
    """"reproducible": computed alone, nothing is kept from earlier requests, and the date is fixed; "fast": several requests at once, and
    the common beginning of their prompts is computed once."""


class Likely(Record, frozen=True, kw_only=True):
    """A token's bytes, which may be a part of a character, and its natural log-probability before temperature and other controls."""

    data: bytes
    log_probability: float


class Choice(Record, frozen=True, kw_only=True):
    """A token that was chosen, and the likeliest ones at its place, likeliest first."""

    chosen: Likely
    top: tuple[Likely, ...] = ()


class Token(Record, frozen=True, kw_only=True, tag="token"):
    """A piece of the answer: whole characters, of one token or several."""

    text: str
    choices: tuple[Choice, ...] = ()
    """The tokens since the piece before, where log-probabilities were asked for."""


class Finished(Record, frozen=True, kw_only=True, tag="finished"):
    """The end of an answer, with what it took."""

    reason: str
    """"stop": the model ended it, or a stop text was met; "length": `max_tokens` were used up."""
    prompt: str
    """The whole text that the model saw, after the first token that some models add by themselves."""
    prompt_tokens: int
    tokens: int
    first_token_seconds: float
    """From the request's arrival in the worker to the first token."""
    seconds: float
    backend: str
    """What computed it: library, version, processor features, threads."""
    shared_tokens: int = 0
    """Tokens of the prompt that an earlier or another request had computed already."""
    mode: str = "reproducible"
    adapters: tuple[AdapterUse, ...] = ()
    """By their digests."""
    broken: str = ""
    """How the answer breaks the form that was asked for, where the request wants that said."""


class Complete(Record, frozen=True, kw_only=True, tag="complete"):
    """Ask a model for an answer that nobody reads before its end. The answer is the same as that to the request alone, and comes in one piece."""

    request: Generate


class Completed(Record, frozen=True, kw_only=True, tag="completed"):
    """A whole answer and its end."""

    token: Token
    """All of its text; empty where the model wrote none."""
    finished: Finished


class Loaded(Record, frozen=True, kw_only=True):
    """A model that is held ready in a worker."""

    name: str
    digest: Digest | str
    pid: int
    context: int
    """Tokens of its window, as it was loaded."""
    start_seconds: float
    """Starting the process and loading the file."""
    backend: str
    resident: int = 0
    """Bytes of memory that its process holds, the model's file included; 0 where the system doesn't say."""
    tokens_per_second: float = 0.0
    """Of its last answer, after the first token; 0 before one."""
    memory: int = 0
    """Bytes that it was planned to take at most, once its window and what is kept beside it are full; 0 where nothing is known."""
    projector: str = ""
    """The name of what it sees pictures with; empty without. A model that is held with one and without is held twice."""
    projector_digest: str = ""
    requests: int = 0
    """That it computes now, or that wait for it; 0 while it is idle."""
    slots: int = 1
    """Requests that it computes together in fast mode."""
    gpu_layers: int = 0
    """Layers that a graphics card computes."""
    layers: int = 0
    """All that one could take."""
    device: str = ""
    """What these layers lie on; empty where the processor computes all."""
    device_memory: int = 0
    """Bytes that it was planned to take there at most."""


class Load(Record, frozen=True, kw_only=True, tag="load"):
    """To a worker, first: hold this file ready. `name` is how errors call it."""

    path: str
    name: str
    embeds: bool
    """Whether it makes vectors, not text."""
    ranks: bool = False
    """Whether it scores pairs of texts."""
    threads: int = 0
    """0 to choose by the model's size and the cores."""
    window: int = 0
    """Tokens of the longest context; 0 for as many as are usual. Never more than the model was made for."""
    projector: str = ""
    """The mmproj file that a chat model sees with."""
    gpu_layers: int = 0
    """Layers that go to `devices`; 0 for none, also where there are some."""
    devices: tuple[str, ...] = ()
    """Names that llama.cpp gives to graphics cards."""
    placed: str = ""
    """For what is recorded with an answer: how many layers are where; empty without a card."""


class Ready(Record, frozen=True, kw_only=True, tag="model-ready"):
    """The worker holds the model."""

    context: int
    dimensions: int
    backend: str
    route: str = ""
    """Of an embedder: what computes its vectors. Vectors of two routes are near each other, and not the same."""


class Embed(Record, frozen=True, kw_only=True, tag="embed"):
    """Turn texts into vectors of length 1."""

    texts: tuple[str, ...]


class Embedded(Record, frozen=True, kw_only=True, tag="embedded"):
    """`count` vectors of `dimensions` little-endian float32 each, one after the other."""

    count: int
    dimensions: int
    vectors: bytes


class EmbedTokens(Record, frozen=True, kw_only=True, tag="embed-tokens"):
    """The vectors of each text's tokens, of length 1, before they are pooled into that of the text."""

    texts: tuple[str, ...]


class TokensEmbedded(Record, frozen=True, kw_only=True, tag="tokens-embedded"):
    """Per text its number of tokens; all of them one after the other as little-endian float32, and for each whether it is a word (1), or one
    that the model sets around a text (0)."""

    counts: tuple[int, ...]
    dimensions: int
    words: bytes
    vectors: bytes


class Weigh(Record, frozen=True, kw_only=True, tag="weigh"):
    """How likely is it that the model goes on with each of these texts? The prompt is as for `Generate`."""

    model: Digest | str
    messages: tuple[Message, ...]
    continuations: tuple[str, ...]
    variables: dict[str, Any] | None = None
    adapters: tuple[AdapterUse, ...] = ()


class Weight(Record, frozen=True, kw_only=True):
    """One continuation: the sum of its tokens' natural log-probabilities, and whether each token was the likeliest at its place."""

    log_likelihood: float
    tokens: int
    greedy: bool


class Weighed(Record, frozen=True, kw_only=True, tag="weighed"):
    """The weights, in the continuations' order."""

    weights: tuple[Weight, ...]
    prompt_tokens: int
    backend: str


class WeighText(Record, frozen=True, kw_only=True, tag="weigh-text"):
    """How likely is each token of a text after those before it? The text stands alone, without a chat template."""

    model: Digest | str
    text: str = ""
    ids: tuple[int, ...] | None = None
    """The text as tokens of the model's own vocabulary, in place of `text`."""
    likeliest: int = 0
    """How many of the likeliest tokens are told at each place."""


class WeighedText(Record, frozen=True, kw_only=True, tag="weighed-text"):
    """Each token of the text, and the one that the model would write next."""

    text: str
    choices: tuple[Choice, ...]
    """One for each token. The first token of a model that wants no token before it is given with a log-probability of 0."""
    following: Choice
    ends: bool
    """Whether the model would end there."""
    backend: str


class AdapterPart(Record, frozen=True, kw_only=True, tag="adapter-part"):
    """To a worker: bytes of an adapter's file of `size` bytes, from `at` on; in order. `name` is how errors call it."""

    digest: Digest
    name: str
    at: int
    size: int
    data: bytes


class AdapterHeld(Record, frozen=True, kw_only=True, tag="adapter-held"):
    """The bytes are there; `whole`: all of them, and the adapter is loaded."""

    whole: bool


class Count(Record, frozen=True, kw_only=True, tag="count"):
    """How many tokens each text has, with the special tokens that the model adds."""

    texts: tuple[str, ...]


class Counted(Record, frozen=True, kw_only=True, tag="counted"):
    """The numbers, in the texts' order."""

    tokens: tuple[int, ...]


class Render(Record, frozen=True, kw_only=True, tag="render"):
    """Render the messages' contents as Jinja templates with these variables."""

    messages: tuple[Message, ...]
    variables: dict[str, Any]


class Rendered(Record, frozen=True, kw_only=True, tag="rendered"):
    """The messages, rendered."""

    messages: tuple[Message, ...]


class CheckTemplate(Record, frozen=True, kw_only=True, tag="check-template"):
    """Is this text a template? `source` is how errors call it."""

    source: str
    text: str


class Checked(Record, frozen=True, kw_only=True, tag="checked"):
    """It is; these are the variables that it reads, and for each the first line that does, from 1."""

    variables: tuple[str, ...]
    lines: tuple[int, ...] = ()


class Rerank(Record, frozen=True, kw_only=True, tag="rerank"):
    """How well does each text answer the query?"""

    query: str
    texts: tuple[str, ...]


class Reranked(Record, frozen=True, kw_only=True, tag="reranked"):
    """The scores, in the texts' order; higher is better."""

    scores: tuple[float, ...]


class ShowTokens(Record, frozen=True, kw_only=True, tag="show-tokens"):
    """What would the model see of this request?"""

    request: Generate


class PromptToken(Record, frozen=True, kw_only=True):
    """One token of a prompt."""

    id: int
    text: str
    """What it stands for; bytes that make no whole character are written as \\xNN."""
    special: bool
    """Whether it steers the model, as the end of a turn does. No text of a person or a document ever becomes one."""
    message: int | None = None
    """The message that it came from, counted from 0; None for what the template or the model adds, and where that can't be told."""


class PromptTokens(Record, frozen=True, kw_only=True, tag="prompt-tokens"):
    """A prompt as the model sees it, token by token."""

    prompt: str
    """The rendered text."""
    tokens: tuple[PromptToken, ...]
    window: int
    """Tokens that the model takes in, the answer's included."""


class ShowPicture(Record, frozen=True, kw_only=True, tag="show-picture"):
    """To a worker: a picture's file, of which a person wants to see a small copy. `number` is how errors call it, `longest` its longer side in
    pixels."""

    data: bytes
    number: int = 1
    longest: int = 128


class ShownPicture(Record, frozen=True, kw_only=True, tag="shown-picture"):
    """The size of the picture, and of its small copy with that copy's pixels: RGB, three bytes each, row by row."""

    width: int
    height: int
    shown_width: int
    shown_height: int
    pixels: bytes
