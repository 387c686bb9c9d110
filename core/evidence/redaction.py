"""Withholding parts of a pack: which openings go, what goes with them, and what a reader could still work out.

The rules:

1. What is asked for is chosen by field, document, kind of personal data or text, within the samples and tags that are named; samples or
   tags alone take everything of theirs that can be withheld. Criteria, counts, scores, identities and times can't be withheld.
2. What would tell a withheld text goes with it (`COMPANIONS`): the question in the dataset and in the answer, the lengths of an answer, the
   reasons of scores, which quote. So does every other field of the same sample in which such a text stands word for word, or of any
   sample where few texts are withheld (`ECHOED`). What a document says stays where it isn't withheld itself; a warning tells of it.
3. With a field go its record's nonce and all renderings; `redaction.json` says of which pack this is a redaction. Nothing else changes, so the
   signatures hold as before, and the result is what any verifier accepts: it is taken apart again before it is given out.
4. What stands in what is signed and can't go, and what the scores that stay give away, is told beforehand.

Renderings are left out rather than made again inside the pack: nobody has signed new ones, so they could say anything. `rendered` makes
them from what is open, for whoever wants to read.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from core.errors import BadInput, NotFound
from core.evidence import given_away, opened, personal, zipform
from core.evidence.commitments import ANY, WITHHOLDABLE, Opening, Path, in_order, read_openings
from core.evidence.memory import collecting_later
from core.evidence.opened import Opened, Row, opening_file, opening_files, record_files, take_apart
from core.evidence.records import LostMetric, WithheldField
from core.evidence.renderings import renderings
from core.evidence.withheld import field_name, lost
from core.jobs import Job
from core.records import Digest, Json, Record

FIELDS: Mapping[str, tuple[str, ...]] = {
    "input": ("dataset samples.input", "training-data samples.input", "outcome answer.question"),
    "target": (
        *("dataset samples.target", "dataset samples.answer", "dataset samples.quote"),
        *("dataset samples.choices", "dataset samples.targets", "dataset samples.metadata"),
        *("dataset samples.chosen", "dataset samples.rejected", "dataset samples.turns"),
        *("training-data samples.target", "training-data samples.answer", "training-data samples.quote"),
        *("training-data samples.choices", "training-data samples.targets", "training-data samples.metadata"),
        *("training-data samples.chosen", "training-data samples.rejected", "training-data samples.turns"),
    ),
    "answer": ("outcome answer.answer",),
    "citations": ("outcome answer.citations",),
    "passages": (
        *("outcome answer.passages", "outcome answer.citations"),
        *("dataset samples.quote", "dataset samples.passages"),
        *("training-data samples.quote", "training-data samples.passages"),
    ),
    "prompt": ("prompt-version messages.content", "prompt-version notes", "outcome answer.rendered"),
    "reason": ("outcome scores.reason",),
    "error": ("outcome error",),
    "document": (
        *("document name", "document title", "document collection", "dataset samples.document"),
        "training-data samples.document",
        *("outcome answer.passages", "outcome answer.citations"),
    ),
    "path": ("model path",),
    "training": tuple(
        f"{kind} {'.'.join(step for step in steps if step != ANY)}"
        for kind in ("training-data", "training-run")
        for steps in WITHHOLDABLE[kind]
    ),
}
"""The words for `--field`, and the fields that they mean; a field's own name serves as well."""
_LENGTHS = ("outcome answer.tokens", "outcome answer.sentences", "outcome answer.unsupported")
COMPANIONS: Mapping[str, tuple[str, ...]] = {
    "dataset samples.input": ("outcome answer.question", "dataset samples.turns"),
    "dataset samples.target": ("outcome scores.reason", "dataset samples.choices", "dataset samples.targets"),
    "dataset samples.choices": ("outcome scores.reason", "outcome answer.rendered"),
    "dataset samples.targets": ("outcome scores.reason",),
    "dataset samples.metadata": ("outcome scores.reason", "outcome answer.rendered"),
    "dataset samples.passages": ("outcome answer.passages", "outcome answer.rendered"),
    "dataset samples.answer": ("outcome scores.reason",),
    "dataset samples.document": ("outcome scores.reason",),
    "outcome answer.question": ("dataset samples.input", "outcome answer.rendered", "outcome answer.best_score"),
    "outcome answer.rendered": ("outcome answer.prompt_tokens",),
    "outcome answer.passages": ("outcome answer.rendered", "outcome answer.best_score"),
    "outcome answer.answer": ("outcome answer.citations", "outcome scores.reason", *_LENGTHS),
    "outcome answer.citations": ("outcome scores.reason",),
    "training-data samples.input": ("training-data samples.turns",),
    "training-data samples.target": ("training-data samples.choices", "training-data samples.targets"),
}
"""What goes with a field of the same sample, and of the same outcome where both are an outcome's."""
ECHOED = frozenset(
    {
        *(
            "dataset samples.input",
            "dataset samples.target",
            "dataset samples.answer",
            "document name",
            "document title",
        ),
        *("outcome answer.answer", "outcome answer.question", "prompt-version messages.content"),
        *("training-data samples.input", "training-data samples.target", "training-data samples.answer"),
        *("training-run spec.data.system", "training-run spec.data.file", "training-run sources.reference"),
    }
)
"""Fields whose text is looked for in others."""
QUOTING = frozenset(
    {
        *("outcome answer.passages", "outcome answer.citations", "outcome answer.rendered"),
        *("dataset samples.quote", "training-data samples.quote"),
    }
)
"""Fields that show what documents say. A target or an answer is found in them as a matter of course."""
ECHO = 8
"""Characters from which on a withheld text is looked for in other fields; a shorter one ("yes") stands everywhere by chance."""
FEW = 64
"""Chosen texts up to which every sample is searched for what goes, and not only its own."""


class Request(Record, frozen=True, kw_only=True):
    """What to withhold. `fields` are words of `FIELDS` or names of fields, `kinds` those of `personal.KINDS`, `documents` names or digests."""

    fields: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


class Preview(Record, frozen=True, kw_only=True):
    """What a redaction would do, before it is done."""

    of: Digest
    """The digest of the manifest, the same before and after."""
    openings: int
    """How many fields are withheld newly."""
    left: int
    """How many that could be withheld stay open."""
    fields: tuple[WithheldField, ...]
    """The same by name."""
    samples: tuple[str, ...]
    """The samples of which something is withheld."""
    renderings: tuple[str, ...]
    """The files that go because they show everything."""
    lost: tuple[LostMetric, ...]
    """Metrics with scores that nobody can work out again afterwards."""
    warnings: tuple[str, ...]
    """What a reader can still work out, and what stays because it is signed."""


class _Item(NamedTuple):
    """One field that is open: where, of which sample, and what it holds."""

    kind: str
    name: str
    """The field: `outcome answer.answer`."""
    row: int
    path: Path
    value: Json
    sample: str
    file: str
    """The file of its opening, and the place there."""
    place: Path


def preview(pack: bytes, request: Request, job: Job | None = None) -> Preview:
    """What `redact` would do. Raises `Damaged` (no whole pack), `BadInput` (nothing asked, or what can't be withheld), `NotFound`, `Cancelled`."""
    with collecting_later():
        return _planned(pack, request, job or Job("Work out a redaction"))[0]


def redact(pack: bytes, request: Request, job: Job | None = None) -> bytes:
    """The pack without what is withheld. Raises as `preview`, and `BadInput` where nothing in it is of what was asked."""
    with collecting_later():
        told, entries = _planned(pack, request, job or Job("Redact a pack"))
    if not told.openings:
        raise BadInput(source="redaction", problem="the pack holds nothing of that, or it is withheld already.")
    return zipform.write(entries)


def rendered(pack: bytes) -> dict[str, bytes]:
    """The reports and cards of a pack, by their names, made from what is open in it. Raises `Damaged`."""
    left = take_apart(pack)
    return renderings(left.rows, left.manifest.title)


def _planned(pack: bytes, request: Request, job: Job) -> tuple[Preview, dict[str, bytes]]:
    before = take_apart(pack, job=job)
    entries = dict(before.contents)
    opens = {}
    for name in sorted(opening_files(before.manifest.files)):
        job.check()
        opens[name] = read_openings(entries[name], name).openings
    items = list(_items(before, opens))
    job.check()
    gone = _closed(items, _chosen(before, items, request), job)
    job.check()
    renderings = tuple(name for name in sorted(before.manifest.renderings) if name in entries) if gone else ()
    if gone:
        _take_out(entries, gone, before, opens)
    after = take_apart(zipform.write(entries), job=job)
    counted = Counter(item.name for item in gone)
    return Preview(
        of=before.manifest_digest,
        openings=len(gone),
        left=len(items) - len(gone),
        fields=tuple(WithheldField(field=name, count=count) for name, count in sorted(counted.items())),
        samples=tuple(dict.fromkeys(item.sample for item in gone if item.sample)),
        renderings=renderings,
        lost=lost(after.rows),
        warnings=_warnings(items, gone, after, entries, request) if gone else (),
    ), entries


def _warnings(
    items: list[_Item], gone: list[_Item], after: Opened, entries: Mapping[str, bytes], request: Request
) -> tuple[str, ...]:
    texts = {text for item in gone for text in _echoes(item)} | set(request.texts)
    told = (*given_away.by_scores(after.rows), *given_away.by_means(after.rows))
    return (*told, *_quoted(items, gone), *given_away.in_clear(entries, texts, request.kinds))


def _items(pack: Opened, opens: Mapping[str, list[Opening]]) -> Iterator[_Item]:
    samples: Any = pack.one("dataset").record["samples"]
    outcomes = pack.rows["outcome"]
    for kind, files in record_files(pack.manifest.files).items():
        first = 0
        for file in files if kind in WITHHOLDABLE else ():
            name = opening_file(file)
            for opening in opens[name]:
                index, *path = opening.path
                row = first + int(index)
                if path:
                    field = f"{kind} {field_name(tuple(path))}"
                    if kind == "dataset":
                        sample = str(samples[int(path[1])]["id"])
                    elif kind == "training-data":
                        sample = _learned(pack.rows[kind][row], int(path[1]))
                    else:
                        sample = str(outcomes[row].record["sample"]) if kind == "outcome" else ""
                    yield _Item(kind, field, row, tuple(path), opening.value, sample, name, opening.path)
            first += pack.counts[file]


def _learned(row: Row, place: int) -> str:
    """The name of a sample that an adapter was trained on: not one of the run's samples."""
    record: Any = row.record
    return f"{record['name']}@{record['number']}, {record['samples'][place]['id']}"


def _chosen(pack: Opened, items: list[_Item], request: Request) -> list[_Item]:
    names = {name for field in request.fields for name in _fields(field)}
    for kind in request.kinds:
        if kind not in personal.KINDS:
            raise BadInput(source=f"kind {kind}", problem=f"not known. There are {', '.join(personal.KINDS)}.")
    texts = [personal.folded(text) for text in request.texts]
    if not all(texts):
        raise BadInput(source="redaction", problem="a text to look for is empty.")
    within = _samples(pack, request)
    tests: list[Callable[[_Item], bool]] = []
    if names:
        tests.append(lambda item: item.name in names)
    if request.kinds or texts:
        tests.append(lambda item: personal.holds(item.value, request.kinds, texts))
    tests += [_of_document(pack, items, wanted) for wanted in request.documents]
    if not tests and within is None:
        raise BadInput(
            source="redaction", problem="nothing was named. Name fields, samples, tags, documents, kinds or texts."
        )
    return [
        item
        for item in items
        if (within is None or item.sample in within) and (not tests or any(test(item) for test in tests))
    ]


def _fields(field: str) -> tuple[str, ...]:
    if field in FIELDS:
        return FIELDS[field]
    own = {
        f"{kind} {'.'.join(step for step in steps if step != '*')}"
        for kind, some in WITHHOLDABLE.items()
        for steps in some
    }
    for name in own:
        if field in (name, name.replace(" ", ".")):
            return (name,)
    raise BadInput(
        source=f"field {field}",
        problem="can't be withheld. Criteria, counts, scores, identities and times stay; these can be: "
        f"{', '.join((*FIELDS, *sorted(own)))}.",
    )


def _samples(pack: Opened, request: Request) -> set[str] | None:
    """The samples that are named, or None where none are."""
    if not request.samples and not request.tags:
        return None
    held: Any = pack.one("dataset").record["samples"]
    known, tags = {sample["id"] for sample in held}, {tag for sample in held for tag in sample.get("tags") or ()}
    for name in request.samples:
        if name not in known:
            raise NotFound(kind="sample", name=name, step="Name one of the pack's dataset.")
    for tag in request.tags:
        if tag not in tags:
            raise NotFound(kind="tag", name=tag, step="Name one that a sample of the pack's dataset has.")
    tagged = {sample["id"] for sample in held if not {*request.tags}.isdisjoint(sample.get("tags") or ())}
    return {*request.samples, *tagged}


def _of_document(pack: Opened, items: list[_Item], wanted: str) -> Callable[[_Item], bool]:
    """Whether a field tells of that document: its names, what is cited or shown of it, and the answers that cite it."""
    names = {wanted, *(str(row.record.get("name")) for row in pack.rows["document"] if row.digest == wanted)}
    digests = {row.digest for row in pack.rows["document"] if row.record.get("name") in names}

    def shows(item: _Item) -> bool:
        value: Any = item.value
        if item.kind == "document":
            return pack.rows["document"][item.row].digest in digests
        if item.name in ("outcome answer.passages", "outcome answer.citations"):
            return isinstance(value, dict) and (value.get("name") in names or value.get("document") in digests)
        return item.name in ("dataset samples.document", "training-data samples.document") and value in names

    shown = {(item.kind, item.row, item.path) for item in items if shows(item)}
    if not shown:
        raise NotFound(kind="document", name=wanted, step="Name one that the pack tells of, as it is written there.")
    citing = {index for kind, index, path in shown if kind == "outcome" and path[1] == "citations"}
    samples = {(kind, index, path[1]) for kind, index, path in shown if kind in ("dataset", "training-data")}

    def tells(item: _Item) -> bool:
        if (item.kind, item.row, item.path) in shown:
            return True
        if item.kind in ("dataset", "training-data"):
            return (item.kind, item.row, item.path[1]) in samples and item.path[2] == "quote"
        return item.name == "outcome answer.answer" and item.row in citing

    return tells


def _closed(items: list[_Item], chosen: list[_Item], job: Job) -> list[_Item]:
    """What was chosen, with everything that would tell it."""
    by_field: dict[tuple[str, str], list[_Item]] = {}
    by_sample: dict[str, list[_Item]] = {}
    for item in items:
        by_field.setdefault((item.name, item.sample), []).append(item)
        by_sample.setdefault(item.sample, []).append(item)
    haystacks: dict[int, list[str]] = {}
    gone: dict[int, _Item] = {}
    waiting = list(chosen)
    everywhere = len({text for item in chosen for text in _echoes(item)}) <= FEW
    while waiting:
        item = waiting.pop()
        job.check()
        if id(item) in gone:
            continue
        gone[id(item)] = item
        for name in COMPANIONS.get(item.name, ()):
            waiting += [
                other
                for other in by_field.get((name, item.sample), ())
                if not (item.kind == other.kind == "outcome") or item.row == other.row
            ]
        texts = _echoes(item)
        for other in (items if everywhere else by_sample[item.sample]) if texts else ():
            if id(other) in gone or (item.kind != "document" and other.name in QUOTING):
                continue
            if id(other) not in haystacks:
                haystacks[id(other)] = [personal.folded(text) for text in personal.strings(other.value)]
            if any(text in hay for text in texts for hay in haystacks[id(other)]):
                waiting.append(other)
    return [item for item in items if id(item) in gone]


def _echoes(item: _Item) -> set[str]:
    """The texts of a withheld field by which it would be known in another one."""
    if item.name not in ECHOED:
        return set()
    value: Any = item.value
    text = value.get("text") if isinstance(value, dict) else value
    fold = personal.folded(text) if isinstance(text, str) else ""
    return {fold} if len(fold) >= ECHO else set()


def _quoted(items: list[_Item], gone: list[_Item]) -> tuple[str, ...]:
    """A sentence where withheld texts stand in what documents say, which stays open."""
    out = {id(item) for item in gone}
    open_texts: dict[str, str] = {}
    for item in items:
        if item.name in QUOTING and id(item) not in out:
            shown = " ".join(map(personal.folded, personal.strings(item.value)))
            open_texts[item.sample] = f"{open_texts.get(item.sample, '')} {shown}"
    samples = {
        item.sample
        for item in gone
        for text in _echoes(item)
        if item.sample and text in open_texts.get(item.sample, "")
    }
    if not samples:
        return ()
    return (
        f"What is withheld of {given_away.some(sorted(samples))} stands word for word in passages or quotes that stay open: "
        "withhold `passages` too.",
    )


def _take_out(entries: dict[str, bytes], gone: list[_Item], before: Opened, opens: Mapping[str, list[Opening]]) -> None:
    places = {(item.file, item.place) for item in gone}
    places |= {(file, place[:1]) for file, place in places}
    for name in {item.file for item in gone}:
        entries[name] = in_order(opening.data for opening in opens[name] if (name, opening.path) not in places)
    for name in before.manifest.renderings:
        entries.pop(name, None)
    entries[opened.RENDERED] = in_order(())
    entries[opened.REDACTION] = opened.redaction(entries[opened.MANIFEST], before.withheld + len(gone))
