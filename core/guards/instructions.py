"""Texts that command a model: sentences in a document or a question that speak to the program that reads them, not to a person.

Two families of rules. One knows how earlier instructions are called off or a role is forced on a model, and the marks of chat formats that have no
business in a document; English, German, French and Spanish. The other knows sentences that say what the answer to somebody else's question should
hold or how it should look ("add … to your reply"), and that code is to be put into it; English only.

A request without such words ("What is the capital of Brazil?") is not told from ordinary text, whatever it is there for. Rates are measured in
`tests/unit/guards/test_instructions_measured.py`.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from core.guards.folding import plain
from core.guards.records import Span
from core.guards.sieving import SIEVE

KIND: Final = "instruction"

_EARLIER: Final = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|existing|original|initial|former|system|vorherige[nr]?|bisherigen?|obigen?|"
    r"précédentes?|antérieures?|anteriores|previas)"
)
_ORDERS: Final = (
    r"(?:instructions?|prompts?|orders?|commands?|directions?|rules?|guidelines|context|messages?|anweisungen|vorgaben|regeln|"
    r"consignes|instrucciones|reglas|órdenes)"
)
_OVERRIDES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:ignor(?:e|iere?n?|ez|a)|disregard|forget|override|bypass|vergiss|missachte|oublie[sz]?|olvida)\b[^.!?\n]{{0,40}}?(?:{_EARLIER} "
        rf"{_ORDERS}|{_ORDERS} {_EARLIER}|everything (?:above|before)|(?:your|the) (?:system )?(?:prompt|instructions|guidelines))",
        rf"(?:do not|don['’]t|never) (?:follow|obey) [^.!?\n]{{0,40}}?{_ORDERS}",
        r"(?:new|updated|actual|real|additional|secret|important) (?:system )?instructions? (?:for (?:the|any) (?:ai|assistant|model|llm|"
        r"reader)|follow|are|:)",
        r"(?:reveal|print|repeat|show|output|leak|verrate|affiche|muestra)\b[^.!?\n]{0,30}?\b(?:system prompt|hidden prompt|initial prompt|"
        r"your instructions|prompt système)",
        r"(?:you are|act|behave|pretend|respond|answer|reply) (?:now |no longer |as if |to be |as )+(?:(?:a|an|the|you are|you were) "
        r")?(?:unrestricted |evil |uncensored |free |helpful )*(?:dan\b|ai\b|assistant|chatbot|language model|llm|jailbroken|developer mode)",
        r"(?:as an?|dear|attention|hey|note (?:to|for)(?: the| any)?|instructions? (?:to|for)(?: the| any)?) (?:ai(?: language)?(?: model| "
        r"assistant)?|llms?|large language models?|language models?|chatbots?|ai assistants?)\b ?[,:!-]",
        r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\|?>|\[/?INST\]|<<SYS>>|<start_of_turn>",
    )
)
_NEEDED: Final = (
    ("ignor", "disregard", "forget", "override", "bypass", "vergiss", "missachte", "oublie", "olvida"),
    ("not follow", "n't follow", "n’t follow", "never follow", "not obey", "n't obey", "n’t obey", "never obey"),
    ("instruction",),
    ("system prompt", "hidden prompt", "initial prompt", "your instructions", "prompt syst"),
    (
        *(
            "you are now",
            "you are no longer",
            "you are to be",
            "you are as",
            "act as",
            "act now",
            "behave as",
            "behave now",
            "pretend",
        ),
        *("respond as", "respond now", "answer as", "answer now", "reply as", "reply now"),
    ),
    (" ai,", " ai:", " ai!", " ai-", " ai ", "llm", "language model", "chatbot"),
    ("<|", "inst]", "<<sys>>", "<start_of_turn>"),
)
"""For each of them, what stands (in lower case) in whatever it finds; most texts have none of it."""
_ANSWER: Final = (
    r"(?:answers?|responses?|repl(?:y|ies)|outputs?|messages?|completions?|summar(?:y|ies)|explanations?|elucidation|generated "
    r"(?:text|content|answer)|text)"
)
_CODE: Final = (
    r"(?:code(?:base)?|solution(?: architecture)?|implementation|algorithm|script|program|function|codebase|software)"
)
_SHAPES: Final = re.compile(
    r"^\W*(?:please |kindly |(?:also|then|now|always|only),? )?"
    r"(?:in (?:your|the) (?:answer|response|reply|output)s?\b|"
    r"(?:add|append|prepend|include|insert|integrate|incorporate|modify|augment|enhance|enrich|embed|weave|mention|replace|rearrange|remove|"
    r"scramble|jumble|misspell|anagram|group|combine|"
    r"introduce|convert|provide|render|use|substitute|encode|encrypt|encipher|cipher|translate|reverse|write|present|give|start|begin|end|"
    r"finish|conclude|format|respond|reply|answer|express|transform|change|alter|deliver|"
    r"craft|compose|return|print|output|display|implement|apply|utili[sz]e|employ|turn|make|infuse|interweave|place|put|spell|shift|swap|"
    r"reword|rewrite|hide|obscure|disguise|promote|advertise|recommend|suggest|spread|claim|state|"
    r"say|tell|let|ensure)\b)",
    re.IGNORECASE,
)
_YOURS: Final = re.compile(rf"\byour (?:\w{{1,20}} ){{0,2}}?{_ANSWER}(?:['’]s?)?\b", re.IGNORECASE)
_INTO_CODE: Final = re.compile(
    rf"\b(?:following|subsequent|below|next|above|this|provided|given)\s(?:\w{{1,20}} )?code (?:block|snippet|excerpt|section|fragment|"
    rf"segment|piece)s?\b[^.!?\n]{{0,120}}\b(?:your|the|you)\b|"
    rf"\byour (?:\w{{1,20}} ){{0,2}}?{_CODE}\b[^.!?\n]{{0,120}}\b(?:following|subsequent|below|next) (?:\w{{1,20}} )?code\b|"
    rf"\b(?:incorporate|integrate|inject|merge|fuse|blend|embed|meld|weave|infuse|include|insert|adopt|deploy|employ|utili[sz]e|use|append|"
    rf"add|execute|leverage|introduce|apply|enlist|absorb|engage|assimilate)\b[^.!?\n]{{0,40}}\b(?:following|subsequent|below) code (?:block|"
    rf"snippet|excerpt|section|fragment|segment)\b",
    re.IGNORECASE,
)
_ANSWERS: Final = (
    "answer",
    "response",
    "reply",
    "replies",
    "output",
    "message",
    "completion",
    "summar",
    "explanation",
    "elucidation",
    "generated",
    "text",
)
"""What stands in whatever says how an answer should look, beside "your"."""
_WITH_CODE: Final = (
    *("block", "snippet", "excerpt", "section", "fragment", "segment", "piece"),
    *("following", "subsequent", "below", "next"),
)
"""And in whatever says that code is to be put into one, beside " code "."""
_SENTENCE: Final = re.compile(r"[^\s.!?][^.!?\n]{3,600}(?:[.!?](?=\w)[^.!?\n]{0,600}){0,8}[.!?:]?")
_POLITE: Final = re.compile(
    r"\b(?:thank|thanks|appreciate|await|waiting|look(?:ing)? forward|received|based on your|regarding your|in response to your|i['’]ve|we)\b",
    re.IGNORECASE,
)


_OVERRIDE_BITS: Final = tuple(SIEVE.literals(needed) for needed in _NEEDED)
_YOUR_BITS: Final = SIEVE.literals(("your",)) | SIEVE.literals(_ANSWERS)
_CODE_BITS: Final = SIEVE.literals(_WITH_CODE) | SIEVE.literals((" code ",))


def spans(text: str, sifted: Sequence[tuple[int, int, int]] | None = None) -> list[Span]:
    """The stretches that command a model, in order, apart from each other. `sifted` is what `SIEVE.sift` says of the text, where that is known."""
    found = list(_found(text, SIEVE.sift(text) if sifted is None else sifted))
    if (folded := plain(text)) is not None:
        letters, places = folded
        for span in _found(letters, SIEVE.sift(letters)):
            found.append(Span(kind=KIND, start=places[span.start], end=places[span.end - 1] + 1))
    return _apart(found)


def _found(text: str, sifted: Sequence[tuple[int, int, int]]) -> Iterator[Span]:
    for start, end, bits in sifted:
        if rules := _rules(bits):
            yield from _in_block(text, start, end, rules)


def _apart(found: list[Span]) -> list[Span]:
    """Of those that overlap, the one that begins first and is longest."""
    found.sort(key=lambda span: (span.start, -span.end))
    kept: list[Span] = []
    for span in found:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


@lru_cache(maxsize=4096)
def _rules(bits: int) -> tuple[int, ...]:
    """The numbers of the rules that may find something in a block with these bits; the last is that of sentences on an answer."""
    found = [number for number, need in enumerate(_OVERRIDE_BITS) if bits & need == need]
    shaping = any(bits & need == need for need in (_YOUR_BITS, _CODE_BITS))
    return (*found, *((len(_OVERRIDE_BITS),) if shaping else ()))


def _in_block(
    text: str, start: int, end: int, rules: Sequence[int], needed: Sequence[Sequence[str]] = _NEEDED
) -> Iterator[Span]:
    """What stands in the lines of a block, and what runs over the ends of its lines."""
    lower = text[start:end].lower().replace("\n", " ")
    rules = [rule for rule in rules if rule == len(_OVERRIDES) or any(map(lower.__contains__, needed[rule]))]
    if not rules:
        return
    yield from _by_rules(text, start, end, rules)
    if "\n" in text[start:end].strip():
        for span in _by_rules(text[start:end].replace("\n", " "), 0, end - start, rules):
            yield Span(kind=KIND, start=start + span.start, end=start + span.end)


def _by_rules(text: str, start: int, end: int, rules: Sequence[int]) -> Iterator[Span]:
    for rule in rules:
        if rule == len(_OVERRIDES):
            yield from _shapings(text, start, end)
        else:
            yield from _matches(_OVERRIDES[rule], text, start, end)


def _matches(pattern: re.Pattern[str], text: str, start: int, end: int) -> Iterator[Span]:
    for match in pattern.finditer(text, start, end):
        if match.start() == 0 or not text[match.start() - 1].isalnum():
            yield Span(kind=KIND, start=match.start(), end=match.end())


def _shapings(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _SENTENCE.finditer(text, start, end):
        sentence = match[0]
        said = sentence.lower()
        if "your" not in said and " code " not in said:
            continue
        shaping = _YOURS.search(sentence) is not None and _SHAPES.match(sentence) is not None
        if (shaping or _INTO_CODE.search(sentence)) and not _POLITE.search(sentence):
            yield Span(kind=KIND, start=match.start(), end=match.end())
