"""Invented conversations, and what `transformers` makes of them with each real chat template.

`python -m tests.golden.conversations` computes `conversations.json` anew, with the function of transformers itself: for each conversation and
template the SHA-256 of the text, or `REFUSED`. (The texts hold the templates' own prose, which isn't ours.)
"""

import hashlib
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from core.inference.worker.templates import FIXED_DATE

STORED = Path(__file__).with_suffix(".json")
REFUSED = "refused"
FIRST, LAST = "<bos>", "<eos>"


def _talk(*turns: str) -> list[dict[str, str]]:
    return [dict(zip(("role", "content"), turn.split(": ", 1), strict=True)) for turn in turns]


LONG = _talk(
    "system: \n You keep the log of the lighthouse.  ",
    "user: Is 2 < 3 & \"4\" > '1'?\n\n{{ messages }} {% raw %}",
    "assistant: <think>\nTwo, three.\n</think>\n\nYes. 🙂",
    "user:  東京 – naïve café\t15 € \n",
)
TOOL = {
    "type": "function",
    "function": {
        "name": "tide",
        "description": "The height of the tide, in metres.",
        "parameters": {
            "type": "object",
            "properties": {
                "harbour": {"type": "string", "description": "Its <name>"},
                "hour": {"type": "integer", "enum": [0, 6, 12, 18]},
            },
            "required": ["harbour"],
        },
    },
}
CONVERSATIONS: dict[str, dict[str, Any]] = {
    "one question": {"messages": _talk("user: How deep is the bay?")},
    "a long talk": {"messages": LONG},
    "without the system": {"messages": LONG[1:]},
    "only the system": {"messages": LONG[:1]},
    "the assistant last": {"messages": LONG[:3]},
    "two questions": {"messages": _talk("user: One?", "user: Two?")},
    "a tool's answer": {"messages": _talk("user: Tide?", "assistant: I look.", 'tool: {"metres": 1.5}', "user: And?")},
    "with tools": {"messages": LONG, "tools": [TOOL, TOOL]},
    "a question with tools": {"messages": _talk("user: Tide at noon?"), "tools": [TOOL]},
    "with documents": {"messages": LONG, "documents": [{"title": "Log", "text": "Calm sea."}]},
}


def digest(text: str) -> str:
    """What is stored of a rendered text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def by_transformers(template: str, conversation: dict[str, Any]) -> str | None:
    """What transformers makes of it; None where the template or it refuses."""
    from transformers.utils import chat_template_utils

    class Then(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return FIXED_DATE

    chat_template_utils.datetime = Then
    try:
        texts, _ = chat_template_utils.render_jinja_template(
            [conversation["messages"]],
            tools=conversation.get("tools"),
            documents=conversation.get("documents"),
            chat_template=template,
            add_generation_prompt=True,
            bos_token=FIRST,
            eos_token=LAST,
        )
    except Exception:  # noqa: BLE001 (whatever it is, there is no text)
        return None
    finally:
        chat_template_utils.datetime = datetime
    return str(texts[0])


def main(folder: Path) -> None:
    found: dict[str, dict[str, str]] = {name: {} for name in CONVERSATIONS}
    for path in sorted(folder.glob("*.jinja")):
        template = path.read_text(encoding="utf-8")
        for name, conversation in CONVERSATIONS.items():
            text = by_transformers(template, conversation)
            found[name][path.name] = REFUSED if text is None else digest(text)
    STORED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
