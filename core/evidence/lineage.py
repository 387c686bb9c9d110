"""What was made from what, as PROV-JSON (W3C PROV-DM; member submission PROV-JSON of 2013).

Page → chunk → answer → scores → result → signatures, answer → people's marks, and dataset → training → adapter → model → run where one was
trained here, base and adapter → model where one was merged. Entities are records, by their digests, and the pages, chunks and scores inside
them; activities are the run, trainings, merges and signings; agents are people. An answer is a quotation of the chunks that it cites, and
derived from those that it was shown. Whatever a pack withholds is left out, so this belongs to the renderings.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from core.evidence import origins
from core.evidence.opened import Row
from core.evidence.words import is_withheld, where
from core.records import Json

Rows = Mapping[str, tuple[Row, ...]]
PREFIXES: dict[str, Json] = {"assay": "urn:assay:", "prov": "http://www.w3.org/ns/prov#"}
MATERIALS = ("spec", "dataset", "prompt-version", "document", "model")


class Chunk(NamedTuple):
    """A piece of a document, as an answer was shown it."""

    document: str
    page: int
    place: int
    cited: bool
    where: str = ""
    """Its place in the document, in words."""


def chunks(outcome: Any) -> list[Chunk]:
    """The passages that an answer was shown, without those that are withheld."""
    answer = outcome.get("answer") or {}
    cited = {c.get("number") for c in answer.get("citations") or [] if not is_withheld(c)}
    return [
        Chunk(str(passage["document"]), int(passage["page"]), int(passage["chunk"]), number in cited, where(passage))
        for number, passage in enumerate(answer.get("passages") or [], 1)
        if not is_withheld(passage) and {"document", "page", "chunk"} <= passage.keys()
    ]


def lineage(rows: Rows) -> Json:
    """The document. Shapes as in PROV-JSON: each relation is an object of named statements."""
    writer = _Writer()
    run, result = rows["run"][0], rows["run-result"][0]
    activity, answers, scores = _id(run), f"{_id(run)}/answers", f"{_id(run)}/scores"
    writer.activity(activity, "run", run.record.get("started"), result.record.get("finished"), run.record.get("id"))
    writer.relate("wasAssociatedWith", activity=activity, agent=writer.person(run.record.get("user")))
    for kind in MATERIALS:
        for row in rows[kind]:
            writer.entity(_id(row), kind, _label(row), row.digest)
            writer.relate("used", activity=activity, entity=_id(row))
            if isinstance(row.record.get("author"), str):
                writer.relate("wasAttributedTo", entity=_id(row), agent=writer.person(row.record["author"]))
    writer.entity(answers, "prov:Collection", f"{len(rows['outcome'])} answers")
    writer.entity(scores, "prov:Collection", "the scores of all answers")
    writer.entity(_id(result), "run-result", None, result.digest)
    for entity in (answers, scores, _id(result)):
        writer.relate("wasGeneratedBy", entity=entity, activity=activity)
    writer.relate("wasDerivedFrom", generatedEntity=scores, usedEntity=answers)
    writer.relate("wasDerivedFrom", generatedEntity=_id(result), usedEntity=scores)
    for row in rows["outcome"]:
        _answer(writer, row, answers, scores)
    _trainings(writer, rows)
    _adapted(writer, rows)
    _cards(writer, rows)
    _marks(writer, rows)
    _signings(writer, rows)
    return writer.document()


def _answer(writer: "_Writer", row: Row, answers: str, scores: str) -> None:
    answer, scored = _id(row), f"{_id(row)}/scores"
    kind = "answer" if row.record.get("answer") is not None else "error"
    writer.entity(answer, kind, f"{row.record.get('sample')}, {row.record.get('variant')}", row.digest)
    writer.relate("hadMember", collection=answers, entity=answer)
    for chunk in chunks(row.record):
        document = f"assay:{chunk.document}"
        page, piece = f"{document}/page/{chunk.page}", f"{document}/chunk/{chunk.place}"
        if writer.entity(page, "page", f"page {chunk.page}"):
            writer.relate("wasDerivedFrom", generatedEntity=page, usedEntity=writer.known(document, "document"))
        if writer.entity(piece, "chunk", f"chunk {chunk.place}, {chunk.where}"):
            writer.relate("wasDerivedFrom", generatedEntity=piece, usedEntity=page)
        kind = "prov:Quotation" if chunk.cited else ""
        writer.relate("wasDerivedFrom", kind, generatedEntity=answer, usedEntity=piece)
    if row.record.get("scores"):
        writer.entity(scored, "scores", f"{len(row.record['scores'])} scores")  # type: ignore[arg-type]
        writer.relate("wasDerivedFrom", generatedEntity=scored, usedEntity=answer)
        writer.relate("hadMember", collection=scores, entity=scored)


def _trainings(writer: "_Writer", rows: Rows) -> None:
    """Dataset → training → adapter, and the base that both the training and the adapter are for."""
    models = {str(row.record.get("digest")): _id(row) for row in rows["model"]}
    for training in origins.trainings(rows):
        made: Any = training.run.record
        activity, adapter = _id(training.run), _id(training.result)
        writer.activity(
            activity, "training", made.get("started"), training.result.record.get("finished"), made.get("id")
        )
        writer.relate("wasAssociatedWith", activity=activity, agent=writer.person(made.get("user")))
        label = f"{made.get('id')}, {made.get('name')}"
        writer.entity(adapter, "adapter", label, training.result.digest, file=training.adapter)
        writer.relate("wasGeneratedBy", entity=adapter, activity=activity)
        base = str(made.get("base_digest"))
        materials = [writer.known(models.get(base, f"assay:file/{base}"), "model")]
        for source in training.sources:
            row = origins.dataset_of(source, rows)
            name = f"assay:{source.get('digest')}"
            writer.entity(name, "dataset" if row else "source", _label(row) if row else None, str(source.get("digest")))
            materials.append(name)
        for material in dict.fromkeys(materials):
            writer.relate("used", activity=activity, entity=material)
            writer.relate("wasDerivedFrom", generatedEntity=adapter, usedEntity=material)
        if training.comparison is not None:
            compared = _id(training.comparison)
            writer.entity(compared, "adapter-comparison", None, training.comparison.digest)
            writer.relate("wasDerivedFrom", generatedEntity=compared, usedEntity=adapter)
    _merges(writer, rows, models)
    for row in rows["model"]:
        base = str(row.record.get("base_digest") or "")
        if base:
            known = writer.known(models.get(base, f"assay:file/{base}"), "model")
            writer.relate("wasDerivedFrom", generatedEntity=_id(row), usedEntity=known)


def _merges(writer: "_Writer", rows: Rows, models: Mapping[str, str]) -> None:
    """Base and adapter → the model that they were merged to, and the record that says so."""
    for row in rows.get("merged-model", ()):
        made: Any = row.record
        activity, file = f"{_id(row)}/merging", str(made.get("digest"))
        model = writer.known(models.get(file, f"assay:file/{file}"), "model")
        writer.entity(_id(row), "merged-model", str(made.get("name")), row.digest)
        writer.activity(activity, "merging", made.get("made"), made.get("made"), f"merge of {made.get('run')}")
        writer.relate("wasAssociatedWith", activity=activity, agent=writer.person(made.get("by")))
        writer.entity(f"assay:{made.get('result')}", "adapter", str(made.get("run")), file=str(made.get("adapter")))
        base = writer.known(models.get(str(made.get("base_digest")), f"assay:file/{made.get('base_digest')}"), "model")
        for entity in (model, _id(row)):
            writer.relate("wasGeneratedBy", entity=entity, activity=activity)
        for material in (base, f"assay:{made.get('result')}"):
            writer.relate("used", activity=activity, entity=material)
            writer.relate("wasDerivedFrom", generatedEntity=model, usedEntity=material)
        for digest in made.get("learned") or ():
            source = writer.known(f"assay:{digest}", "source")
            writer.relate("wasDerivedFrom", generatedEntity=f"assay:{made.get('result')}", usedEntity=source)


def _adapted(writer: "_Writer", rows: Rows) -> None:
    """The models as the run used them: a base with its adapters."""
    run = rows["run"][0]
    files = {str(row.record.get("digest")): _id(row) for row in rows["model"]}
    files |= {training.adapter: _id(training.result) for training in origins.trainings(rows)}
    variants: Any = run.record.get("variants") or []
    for place, variant in enumerate(variants):
        used = origins.uses(variant)
        if not used:
            continue
        name = f"{_id(run)}/variant/{place}"
        writer.entity(name, "model-with-adapters", variant.get("name"))
        writer.relate("used", activity=_id(run), entity=name)
        for digest in dict.fromkeys((str(variant.get("model_digest")), *(adapter for adapter, _ in used))):
            known = writer.known(files.get(digest, f"assay:file/{digest}"), "model")
            writer.relate("wasDerivedFrom", generatedEntity=name, usedEntity=known)


def _cards(writer: "_Writer", rows: Rows) -> None:
    files = {str(row.record.get("digest")): _id(row) for row in rows["model"]}
    files |= {training.adapter: _id(training.result) for training in origins.trainings(rows)}
    for row in rows["model-card"]:
        writer.entity(
            _id(row), "model-card", _label(row), row.digest, about=files.get(str(row.record.get("model")), "")
        )
        writer.relate("wasAttributedTo", entity=_id(row), agent=writer.person(row.record.get("author")))


def _marks(writer: "_Writer", rows: Rows) -> None:
    """What people say of answers."""
    for row in rows.get("mark", ()):
        mark: Any = row.record
        writer.entity(_id(row), "mark", f"{mark.get('score')} for {mark.get('scorer')}", row.digest)
        answer = writer.known(f"assay:{mark.get('outcome')}", "answer")
        writer.relate("wasDerivedFrom", generatedEntity=_id(row), usedEntity=answer)
        writer.relate("wasAttributedTo", entity=_id(row), agent=writer.person(mark.get("user")))


def _signings(writer: "_Writer", rows: Rows) -> None:
    for row in rows["signature"]:
        record: Any = row.record
        signing = f"{_id(row)}/signing"
        writer.activity(signing, "signing", record.get("time"), record.get("time"), record.get("meaning"))
        writer.entity(_id(row), "signature", f"{record.get('meaning')}: {record.get('subject_name')}", row.digest)
        writer.relate("wasGeneratedBy", entity=_id(row), activity=signing)
        writer.relate("used", activity=signing, entity=writer.known(f"assay:{record.get('subject')}", "record"))
        writer.relate("wasDerivedFrom", generatedEntity=_id(row), usedEntity=f"assay:{record.get('subject')}")
        agent = writer.agent(f"assay:card/{record.get('card')}", record.get("name"), str(record.get("user") or ""))
        writer.relate("wasAssociatedWith", activity=signing, agent=agent)
        writer.relate("wasAttributedTo", entity=_id(row), agent=agent)


class _Writer:
    """Collects statements; whatever a relation names is declared exactly once."""

    def __init__(self) -> None:
        self._declared: dict[str, dict[str, Json]] = {"entity": {}, "activity": {}, "agent": {}}
        self._relations: dict[str, dict[str, Json]] = {}

    def entity(self, name: str, kind: str, label: Any = None, digest: str = "", **more: str) -> bool:
        """Declare an entity, with what more is to be said of it; returns whether it is new."""
        if name in self._declared["entity"]:
            return False
        said: dict[str, Json] = {"prov:type": _type(kind)}
        if label:
            said["prov:label"] = str(label)
        if digest:
            said["assay:sha256"] = digest
        said |= {f"assay:{key}": value for key, value in more.items() if value}
        self._declared["entity"][name] = said
        return True

    def known(self, name: str, kind: str) -> str:
        """The name of an entity that may not have been declared, because it isn't in the pack."""
        self.entity(name, kind)
        return name

    def activity(self, name: str, kind: str, start: Any, end: Any, label: Any) -> None:
        times: dict[str, Json] = {
            key: str(time) for key, time in (("prov:startTime", start), ("prov:endTime", end)) if time
        }
        self._declared["activity"][name] = {"prov:type": _type(kind), "prov:label": str(label or kind), **times}

    def person(self, user: Any) -> str:
        return self.agent(f"assay:user/{quote(str(user or ''), safe='')}", user)

    def agent(self, name: str, label: Any, user: str = "") -> str:
        said: dict[str, Json] = {"prov:type": _type("prov:Person"), "prov:label": str(label or "")}
        self._declared["agent"][name] = {**said, "assay:user": user} if user else said
        return name

    def relate(self, relation: str, kind: str = "", /, **ends: str) -> None:
        statements = self._relations.setdefault(relation, {})
        said: dict[str, Json] = {f"prov:{end}": name for end, name in ends.items()}
        if kind:
            said["prov:type"] = _type(kind)
        statements[f"_:{relation}{len(statements) + 1}"] = said

    def document(self) -> Json:
        return {"prefix": PREFIXES, **self._declared, **self._relations}


def _type(kind: str) -> Json:
    return {"$": kind if ":" in kind else f"assay:{kind}", "type": "prov:QUALIFIED_NAME"}


def _id(row: Row) -> str:
    return f"assay:{row.digest}"


def _label(row: Row) -> str | None:
    name, number = row.record.get("name"), row.record.get("number")
    if not isinstance(name, str):
        return None
    return f"{name}@{number}" if isinstance(number, int) else name
