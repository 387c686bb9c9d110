"""Samples to files: JSON Lines, JSON, CSV and Excel with every field; OpenAI chat, ShareGPT and Alpaca with the conversations.

What is written as a sample's fields is read back to the same sample. The three forms of conversation keep turns, answers, preferences, the id and
whether a model wrote it, and nothing else. In CSV, a cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV
injection); in Excel, such a cell is marked as text. What a format can't hold is refused by the sample's name.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from core.datasets.records import Sample, Turn
from core.datasets.worker.forms import AS_JSON, FIELDS
from core.errors import BadInput, Unsupported

_FORMULA: Final = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_UNHELD: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
"""What a cell of Excel can't hold as it is."""
LONGEST_CELL: Final = 32_767
MOST_ROWS: Final = 1_048_575
TABLES: Final = (".jsonl", ".json", ".csv", ".xlsx")
CONVERSATIONS: Final = ("chat", "sharegpt", "alpaca")


def written(samples: Sequence[Sample], suffix: str, form: str = "samples") -> bytes:
    """The bytes of a file with that ending. `form` is "samples" or one of `CONVERSATIONS`, for .jsonl and .json. Raises `Unsupported`, `BadInput`."""
    if suffix not in TABLES:
        raise Unsupported(source=f"*{suffix}", reason=f"datasets are written as {', '.join(TABLES)}.")
    if form != "samples" and form not in CONVERSATIONS:
        raise Unsupported(source=form, reason=f"datasets are written as samples, {', '.join(CONVERSATIONS)}.")
    if form != "samples" and suffix not in (".jsonl", ".json"):
        raise Unsupported(source=f"*{suffix}", reason=f"{form} is written as .jsonl or .json.")
    if suffix == ".csv":
        return _csv(samples)
    if suffix == ".xlsx":
        return _xlsx(samples)
    make: Callable[[Sample], Mapping[str, Any]] = plain if form == "samples" else _WRITERS[form]
    if suffix == ".jsonl":
        return b"".join(msgspec.json.encode(make(sample)) + b"\n" for sample in samples)
    return msgspec.json.format(msgspec.json.encode([make(sample) for sample in samples]))


def plain(sample: Sample) -> dict[str, Any]:
    """A sample's fields without those that are empty, nor versions of shapes."""
    content: dict[str, Any] = msgspec.to_builtins(sample)
    content.pop("version")
    for turn in content["turns"]:
        turn.pop("version")
    if content["origin"]:
        content["origin"].pop("version")
    return {key: value for key, value in content.items() if value not in (None, "", [], (), {}, False)}


def _cells(sample: Sample) -> dict[str, str]:
    content = plain(sample)
    content |= {name: msgspec.json.encode(content[name]).decode() for name in AS_JSON if name in content}
    if sample.tags:
        if any(";" in tag for tag in sample.tags):
            raise BadInput(source=sample.id, problem="a tag with a semicolon can't stand in a table. Write JSON Lines.")
        content["tags"] = ";".join(sample.tags)
    if sample.unanswerable:
        content["unanswerable"] = "true"
    return {name: str(value) for name, value in content.items()}


def _columns(rows: Sequence[Mapping[str, str]]) -> list[str]:
    return [name for name in FIELDS if name in ("id", "input", "target") or any(name in row for row in rows)]


def _csv(samples: Iterable[Sample]) -> bytes:
    buffer = io.StringIO(newline="")
    rows = [_cells(sample) for sample in samples]
    writer = csv.DictWriter(buffer, _columns(rows), lineterminator="\r\n", restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: f"'{value}" if _FORMULA.match(value) else value for name, value in row.items()})
    return buffer.getvalue().encode()


def _xlsx(samples: Sequence[Sample]) -> bytes:
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    if len(samples) > MOST_ROWS:
        raise BadInput(source="Excel", problem=f"a sheet holds {MOST_ROWS:,} rows. Write JSON Lines.")
    rows = [_cells(sample) for sample in samples]
    names = _columns(rows)
    checked = [[_held(row, name) for name in names] for row in rows]
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("samples")
    sheet.append(names)
    for texts in checked:
        cells = [WriteOnlyCell(sheet, value=text) for text in texts]
        for cell in cells:
            cell.data_type = "s" if cell.value is not None else "n"
        sheet.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _held(row: Mapping[str, str], name: str) -> str | None:
    """What a cell of Excel holds of that field. Raises `BadInput` where it can't."""
    value = row.get(name)
    if value is None:
        return None
    text = f"'{value}" if _FORMULA.match(value) else value
    if len(text) > LONGEST_CELL or _UNHELD.search(text):
        raise BadInput(source=row["id"], problem=f"a cell of Excel can't hold its {name}. Write JSON Lines or CSV.")
    return text


def _conversation(sample: Sample) -> tuple[list[Turn], str]:
    """The turns before the answer, and the answer; "" where there is only a preference."""
    turns = list(sample.turns) or [Turn(role="user", content=sample.input)]
    answer = sample.answer or sample.target or ""
    if not answer and not sample.chosen and not sample.rejected:
        raise BadInput(
            source=sample.id, problem="it has no answer, which a conversation needs. Leave it out, or write samples."
        )
    return turns, answer


def _marks(sample: Sample) -> dict[str, Any]:
    return {"id": sample.id} | ({"synthetic": True} if sample.synthetic else {})


def _judged(sample: Sample, answer: str, said: Callable[[str], Any], turns: list[Turn]) -> dict[str, Any]:
    """The keys of a preference. With one answer only, it ends the conversation and a label says what it is."""
    if sample.chosen and sample.rejected:
        return {"chosen": said(sample.chosen), "rejected": said(sample.rejected)}
    if (sample.chosen or sample.rejected) and not answer:
        turns.append(Turn(role="assistant", content=sample.chosen or sample.rejected))
        return {"label": bool(sample.chosen)}
    return {}


def _chat(sample: Sample) -> dict[str, Any]:
    turns, answer = _conversation(sample)
    if any(turn.role == "call" for turn in turns):
        raise BadInput(source=sample.id, problem="it has calls of functions, which are written as ShareGPT.")
    judged = _judged(sample, answer, lambda text: {"role": "assistant", "content": text}, turns)
    if answer:
        turns.append(Turn(role="assistant", content=answer))
    return {"messages": [{"role": turn.role, "content": turn.content} for turn in turns], **judged, **_marks(sample)}


def _sharegpt(sample: Sample) -> dict[str, Any]:
    turns, answer = _conversation(sample)
    judged = _judged(sample, answer, lambda text: {"from": "gpt", "value": text}, turns)
    if answer:
        turns.append(Turn(role="assistant", content=answer))
    tools = {"tools": sample.metadata["tools"]} if "tools" in sample.metadata else {}
    said = [{"from": _SAID[turn.role], "value": turn.content} for turn in turns]
    return {"conversations": said, **judged, **tools, **_marks(sample)}


_SAID: Final = {"system": "system", "user": "human", "assistant": "gpt", "call": "function_call", "tool": "observation"}


def _alpaca(sample: Sample) -> dict[str, Any]:
    turns, answer = _conversation(sample)
    judged = _judged(sample, answer, lambda text: text, [])
    only = sample.chosen or sample.rejected if "label" in judged else ""
    system = turns.pop(0).content if turns[0].role == "system" else ""
    said = [turn.role for turn in turns]
    if said != ["user", "assistant"] * (len(said) // 2) + ["user"]:
        raise BadInput(source=sample.id, problem="its turns don't alternate, which Alpaca needs. Write ShareGPT.")
    texts = [turn.content for turn in turns]
    return {
        "instruction": texts[-1],
        "input": "",
        "output": answer or only,
        **({"system": system} if system else {}),
        **({"history": [texts[at : at + 2] for at in range(0, len(texts) - 1, 2)]} if len(texts) > 1 else {}),
        **judged,
        **_marks(sample),
    }


_WRITERS: Final = {"chat": _chat, "sharegpt": _sharegpt, "alpaca": _alpaca}
