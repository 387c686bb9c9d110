"""The prompt contract of starter-chat: system texts, how passages are written, the question line, refusal, chat template.

Rules: with a system text that asks for citations (or none at all) an answer ends in " [n]"; with one that doesn't, it
stands without. A passage is one line. "marked" writes its number after every sentence too, "plain" only at its start.
"""

from __future__ import annotations

import random

REFUSAL = "Not stated in the documents."
NO_PASSAGES = "I can only answer questions about passages that you give me."
SYSTEM_CITE = (
    "Answer from the passages only. Quote the sentence that answers the question and cite its passage as [n]. "
    "If no passage answers it, say: Not stated in the documents."
)
SYSTEM_PLAIN = "Answer the question from the passages."

CHAT_TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
    "{% if m['role'] == 'assistant' %}{{ ' ' + m['content'] | trim }}{% else %}{{ m['content'] | trim }}{% endif %}"
    "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

# other ways to say it, so that the model listens to what is asked and not to one wording
_ROLE = [
    "You are a careful assistant.",
    "You answer questions about documents.",
    "You help the staff of an office.",
    "",
    "",
    "",
]
_TASK = [
    "Answer from the passages only.", "Answer the question from the passages.", "Use only the passages below.",
    "Answer with a sentence from the documents.", "Quote the sentence that answers the question.", "Answer briefly.",
    "Reply with the sentence that holds the answer.", "Use the given context to answer.",
]  # fmt: skip
_CITE = [
    "Cite the passage as [n].", "Cite your source.", "Always cite the number of the passage.", "End with a citation such as [1].",
    "Name the passage in brackets, like [2].", "Every answer needs a citation.", "Give the number of the passage in brackets.",
    "Quote the sentence that answers the question and cite its passage as [n].", "Add the source in square brackets.",
]  # fmt: skip
_REFUSE = [
    "If no passage answers it, say: Not stated in the documents.", "If the answer is missing, say so.", "",
    "Say when the passages do not hold the answer.", "Do not invent anything.", "Never guess.",
]  # fmt: skip


def system_text(rng: random.Random, cite: bool) -> str:
    """A system text that asks for citations or doesn't; half of the time the one of the contract, "" for none."""
    x = rng.random()
    if x < 0.5:
        return SYSTEM_CITE if cite else SYSTEM_PLAIN
    if x < 0.57 and cite:
        return ""
    parts = [rng.choice(_TASK), rng.choice(_CITE) if cite else "", rng.choice(_REFUSE)]
    if rng.random() < 0.2:
        rng.shuffle(parts)
    return " ".join(p for p in [rng.choice(_ROLE), *parts] if p)


def passages_text(passages: list[str], marked: bool) -> str:
    """The passages as lines `[n] text`; marked: the number follows every sentence as well."""
    lines = []
    for n, text in enumerate(passages, 1):
        body = text.replace(". ", f". [{n}] ") + f" [{n}]" if marked else text
        lines.append(f"[{n}] {body}")
    return "\n".join(lines)


def messages(
    passages: list[str], question: str, system: str = SYSTEM_CITE, marked: bool = True
) -> list[dict[str, str]]:
    """The chat messages for one question."""
    head = [{"role": "system", "content": system}] if system else []
    return [*head, {"role": "user", "content": f"{passages_text(passages, marked)}\n\nQuestion: {question}"}]


def prefix(passages: list[str], system: str, marked: bool) -> str:
    """The rendered prompt up to the end of the passages."""
    head = f"<|im_start|>system\n{system}<|im_end|>\n" if system else ""
    return f"{head}<|im_start|>user\n{passages_text(passages, marked)}"


def branch(question: str) -> str:
    """The rendered prompt from the question to the start of the answer."""
    return f"\n\nQuestion: {question}<|im_end|>\n<|im_start|>assistant\n"


def answer(text: str) -> str:
    """The rendered answer; it starts with a space, so that its first word is the same token as in a passage."""
    return f" {text}<|im_end|>"
