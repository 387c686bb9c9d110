"""Redacting a pack: what goes, what stays valid, and that nothing left gives a withheld field away."""

import json
from base64 import b64decode
from typing import Any

import msgspec
import pytest

from core.errors import BadInput, NotFound
from core.evidence import personal, zipform
from core.evidence.commitments import commitment
from core.evidence.opened import opening_files, take_apart
from core.evidence.redaction import COMPANIONS, FIELDS, Preview, Request, preview, redact, rendered
from core.records import Json
from core.trust.canonical import b64, canonical
from core.trust.canonical import digest as digest_of
from tests.unit.evidence.building import TRUST, altered, content, pack
from tests.unit.evidence.judging import judged, repacked

CONTENT = content()
PACK = pack(CONTENT)
OPENINGS = sorted(opening_files(zipform.read(PACK)))
EVERYTHING = Request(
    fields=("input", "target", "answer", "citations", "passages", "prompt", "reason", "error", "document", "path")
)


def counts(told: Preview) -> dict[str, int]:
    return {field.field: field.count for field in told.fields}


def test_a_preview_says_what_goes_and_changes_nothing() -> None:
    told = preview(PACK, Request(fields=("answer",)))
    assert counts(told) == {"outcome answer.answer": 3, "outcome answer.citations": 3, "outcome scores.reason": 6}
    assert (told.openings, told.samples) == (12, ("q1", "q2"))
    assert told.left + told.openings == preview(PACK, EVERYTHING).openings + preview(PACK, EVERYTHING).left
    assert told.of == take_apart(PACK).manifest_digest
    assert "report.html" in told.renderings
    assert [(metric.variant, metric.metric, metric.samples, metric.of) for metric in told.lost] == [
        ("cite@1 / starter", "contains", 1, 1),
        ("quotes", "contains", 2, 2),
    ]


def test_what_remains_verifies_and_both_verifiers_tell_the_same_of_it() -> None:
    request = Request(fields=("answer",))
    left = redact(PACK, request)
    verdict = judged(left, TRUST)
    told = preview(PACK, request)
    assert verdict.verdict == "valid"
    assert (verdict.fields, verdict.lost, verdict.redaction_of) == (told.fields, told.lost, told.of)
    statement = json.loads(zipform.read(left)["redaction.json"])
    assert statement == {"type": "redaction", "version": 1, "of": told.of, "withheld": told.openings}
    before, after = zipform.read(PACK), zipform.read(left)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == {"redaction.json", *told.renderings, "openings/outcome-0001.json", "openings/renderings.json"}


def test_a_redacted_pack_can_be_redacted_further() -> None:
    twice = redact(redact(PACK, Request(fields=("answer",))), Request(fields=("prompt",)))
    verdict = judged(twice, TRUST)
    assert (verdict.verdict, verdict.withheld) == ("valid", 12 + preview(PACK, Request(fields=("prompt",))).openings)
    with pytest.raises(BadInput, match="withheld already"):
        redact(twice, Request(fields=("answer",)))


def test_nothing_of_what_is_withheld_is_in_any_byte_of_it() -> None:
    left = redact(PACK, EVERYTHING)
    assert judged(left, TRUST).verdict == "valid"
    shown = left + b"".join(b64decode(part) for part in b64_parts(left))
    shown += b"".join(content for name, content in rendered(left).items() if not name.endswith(".pdf"))
    assert rendered(PACK).keys() == rendered(left).keys()
    for text in (
        *(
            "15 days",
            "How many",
            "handbook.pdf",
            "Handbook",
            "alert(1)",
            "model stopped",
            "/home/ada",
            "reviews",
        ),
        *("as expected", "<b>now</b>"),
    ):
        assert text.encode() not in shown, text
    assert {name for name in OPENINGS if zipform.read(left)[name] != b"[]"} == set()
    assert not {name for name in zipform.read(left) if "report" in name or "lineage" in name or "card" in name} - {
        "cards.json"
    }


def b64_parts(data: bytes) -> list[str]:
    """What the envelopes and cards hold in base64."""
    entries = zipform.read(data)
    payloads = [json.loads(content)["payload"] for name, content in entries.items() if name.startswith("envelopes/")]
    return [
        *payloads,
        json.loads(entries["release.json"])["payload"],
        *(card["card"] for card in json.loads(entries["cards.json"])),
    ]


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_every_word_for_a_field_works(field: str) -> None:
    told = preview(PACK, Request(fields=(field,)))
    assert {name for name in FIELDS[field] if name in counts(preview(PACK, EVERYTHING))} <= counts(told).keys()
    if told.openings:
        assert judged(redact(PACK, Request(fields=(field,))), TRUST).verdict == "valid"


@pytest.mark.parametrize("name", ["outcome answer.answer", "outcome.answer.answer"])
def test_a_fields_own_name_serves_too(name: str) -> None:
    assert preview(PACK, Request(fields=(name,))) == preview(PACK, Request(fields=("answer",)))


@pytest.mark.parametrize(
    "field", ["criteria", "scores", "outcome scores.value", "run samples", "signature reason", "time", "id", ""]
)
def test_criteria_counts_scores_and_identities_cant_be_withheld(field: str) -> None:
    with pytest.raises(BadInput, match="can't be withheld"):
        preview(PACK, Request(fields=(field,)))


def test_what_doesnt_exist_is_said() -> None:
    for request in (Request(samples=("q9",)), Request(tags=("none",)), Request(documents=("other.pdf",))):
        with pytest.raises(NotFound):
            preview(PACK, request)
    for request in (Request(), Request(kinds=("names",)), Request(texts=("",)), Request(texts=("  ",))):
        with pytest.raises(BadInput):
            preview(PACK, request)
    nothing = Request(texts=("nowhere in it",))
    assert preview(PACK, nothing).openings == 0
    with pytest.raises(BadInput, match="nothing of that"):
        redact(PACK, nothing)


def with_samples() -> bytes:
    """The small pack, each sample with a tag and a question of its own."""

    def tell(record: Any) -> None:
        for place, sample in enumerate(record["samples"]):
            sample.update(
                tags=[f"t{place}"], document="handbook.pdf" if place else "", input=f"Question number {place}?"
            )

    def ask(record: Any) -> None:
        if record["answer"]:
            record["answer"]["question"] = {"text": f"Question number {int(record['sample'] == 'q2')}?"}
            record["answer"]["tokens"] = 3

    outcomes = tuple(altered(outcome, ask) for outcome in CONTENT.outcomes)
    return pack(msgspec.structs.replace(CONTENT, dataset=altered(CONTENT.dataset, tell), outcomes=outcomes))


def test_a_sample_or_a_tag_takes_all_of_its_own_and_nothing_of_the_others() -> None:
    whole = with_samples()
    by_name, by_tag = preview(whole, Request(samples=("q2",))), preview(whole, Request(tags=("t1",)))
    assert by_name == by_tag
    assert by_name.samples == ("q2",)
    assert counts(by_name)["dataset samples.input"] == 1
    assert counts(by_name)["outcome answer.tokens"] == 1
    only = preview(whole, Request(samples=("q2",), fields=("input",)))
    assert counts(only) == {
        "dataset samples.input": 1,
        "outcome answer.question": 1,
        "outcome answer.rendered": 1,
    }


def test_a_documents_names_passages_and_answers_go_with_it() -> None:
    told = preview(with_samples(), Request(documents=("handbook.pdf",)))
    assert counts(told) == {
        "dataset samples.document": 1,
        "dataset samples.quote": 1,
        "document collection": 1,
        "document name": 1,
        "document title": 1,
        "outcome answer.answer": 3,
        "outcome answer.citations": 3,
        "outcome answer.passages": 3,
        "outcome answer.rendered": 3,
        "outcome answer.tokens": 3,
        "outcome scores.reason": 6,
    }
    digest = take_apart(PACK).rows["document"][0].digest
    assert preview(with_samples(), Request(documents=(digest,))).openings == told.openings


def test_companions_are_fields_that_can_be_withheld() -> None:
    for name, others in COMPANIONS.items():
        for each in (name, *others):
            preview(PACK, Request(fields=(each,)))


def test_texts_and_kinds_are_found_wherever_they_stand() -> None:
    def tell(record: Any) -> None:
        record["answer"]["answer"] = "Write to EVA.NOVÁKOVÁ@example.org, or ask Eva  Nováková."

    outcomes = (altered(CONTENT.outcomes[0], tell), *CONTENT.outcomes[1:])
    whole = pack(msgspec.structs.replace(CONTENT, outcomes=outcomes))
    for request in (Request(kinds=("email",)), Request(texts=("eva nováková",))):
        told = preview(whole, request)
        assert (counts(told)["outcome answer.answer"], told.samples) == (1, ("q1",))
        assert b"example.org" not in b"".join(zipform.read(redact(whole, request)).values())


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "mail ines.q+x@mail.example.co.uk now"),
        ("phone", "call +49 (0)30 1234-5678."),
        ("phone", "030 123 45 67"),
        ("phone", "555-123-4567"),
        ("iban", "to DE89 3704 0044 0532 0130 00, today"),
        ("iban", "gb82west12345698765432"),
        ("number", "patient 123 456 789"),
        ("number", "4111111111111111"),
    ],
)
def test_kinds_of_personal_data(kind: str, text: str) -> None:
    assert personal.holds(["x", {"y": text}], (kind,), ())


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "numpy@2.2, a@b, @home"),
        ("phone", "on 2026-11-21, in 15 days, 3.14159, page 12-14"),
        ("iban", "DE89 3704 0044 0532 0130 01 and ABCD"),
        ("number", "12345678, 2026"),
    ],
)
def test_what_is_none_of_them(kind: str, text: str) -> None:
    assert not personal.holds(text, (kind,), ())


def test_rules_are_quick_on_long_texts() -> None:
    for text in (
        "a" * 200_000,
        "1" * 200_000,
        "1 " * 100_000,
        "a@" * 100_000,
        "(" * 100_000,
        "DE00" + "A" * 100_000,
        "a." * 99_999,
    ):
        for kind in personal.KINDS:
            personal.holds(text, (kind,), ())


# What a reader could work out.


def answered(text: str) -> bytes:
    """A pack whose answer by `quotes` to q2 is `text`, everything random in it the same for every text."""

    def tell(record: Any) -> None:
        record["answer"].update(
            answer=text, tokens=len(text), unsupported=[[0, len(text)]], sentences=1, best_score=len(text) / 10
        )
        record["scores"][0]["reason"] = f"found {text}"

    outcomes = (*CONTENT.outcomes[:-1], altered(CONTENT.outcomes[-1], tell))
    return pack(msgspec.structs.replace(CONTENT, outcomes=outcomes))


def guesses(left: bytes, place: int, path: tuple[Any, ...], values: list[Json], known: bytes) -> list[Json]:
    """Those of `values` that anything left in the pack confirms for a withheld field of an outcome, all other fields known."""
    entries = zipform.read(left)
    everything = b"\x00".join(entries.values())
    strings = {text for content in entries.values() for text in everywhere(content)}
    salts = {text for text in strings if len(text) == 44}
    nonces = {text for text in strings if len(text) == 64}
    confirmed = []
    for value in values:
        stored = json.loads(zipform.read(known)["records/outcome-0001.json"])[place]["stored"]
        whole = json.loads(CONTENT.outcomes[place].content)["record"]
        stored["record"] = json.loads(json.dumps(whole))
        for opening in json.loads(zipform.read(known)["openings/outcome-0001.json"]):
            if opening[1][0] == place and len(opening[1]) > 1:
                put(stored["record"], opening[1][1:], opening[2])
        put(stored["record"], list(path), value)
        tries = [digest_of(canonical({**stored, "nonce": nonce})) for nonce in sorted(nonces)]
        tries += [commitment(b64decode(salt), (place, *path), value) for salt in sorted(salts)]
        if any(found.encode() in everything for found in tries):
            confirmed.append(value)
    return confirmed


def put(holder: Any, path: list[Any], value: Json) -> None:
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value


def everywhere(content: bytes) -> list[str]:
    try:
        return list(personal.strings(json.loads(content)))
    except ValueError:
        return []


def test_a_yes_or_no_cant_be_found_by_trying_both_on_anything_left() -> None:
    place, path, values = 3, ("answer", "answer"), ["yes", "no"]
    whole = answered("yes")
    left = redact(whole, Request(fields=("answer",)))
    assert guesses(whole, place, path, values, whole) == ["yes"], "the attempt works where nothing is withheld"
    assert guesses(left, place, path, values, whole) == []
    entries = zipform.read(left)
    secret = [o for o in json.loads(zipform.read(whole)["openings/outcome-0001.json"]) if o[1][0] == place]
    gone = [o for o in secret if o[1] == [place] or o[1] == [place, *path]]
    assert len(gone) == 2
    everything = b"\x00".join(entries.values())
    for salt, _, value in gone:
        assert salt.encode() not in everything
        assert len(str(value)) < 32 or str(value).encode() not in everything
    renderings = json.loads(entries["manifest.json"])["renderings"]
    before = zipform.read(whole)
    for name, hidden in renderings.items():
        listed = {"version": 1, "sha256": digest_of(before[name]), "size": len(before[name])}
        assert listed["sha256"].encode() not in everything, "a report made again for each answer would tell"
        assert hidden != digest_of(canonical(listed))
        assert hidden not in {commitment(bytes(32), (name,), listed), commitment(b"", (name,), listed)}


def test_a_yes_leaves_the_same_lengths_places_and_names_as_a_no() -> None:
    shapes = []
    for text in ("yes", "no", "no, never in a hundred years"):
        entries = zipform.read(redact(answered(text), Request(fields=("answer",))))
        salts = [opening[1] for name in OPENINGS for opening in json.loads(entries[name])]
        shapes.append(({name: len(content) for name, content in entries.items() if "release" not in name}, salts))
    assert shapes[0] == shapes[1] == shapes[2]


def test_salts_and_nonces_of_two_exports_have_nothing_in_common() -> None:
    packs = [zipform.read(pack(CONTENT)) for _ in range(2)]
    salts = [[opening[0] for name in OPENINGS for opening in json.loads(entries[name])] for entries in packs]
    assert len(set(salts[0])) == len(salts[0]) > 30
    assert all(len(b64decode(salt)) == 32 for salt in salts[0])
    assert b64(bytes(32)) not in salts[0]


def test_a_pack_that_withholds_a_field_and_tells_the_nonce_is_refused_by_both() -> None:
    left = redact(PACK, Request(fields=("answer",)))
    openings = json.loads(zipform.read(PACK)["openings/outcome-0001.json"])
    nonce = next(opening for opening in openings if opening[1] == [0])

    def tell(entries: dict[str, bytes]) -> None:
        kept = [*json.loads(entries["openings/outcome-0001.json"]), nonce]
        entries["openings/outcome-0001.json"] = canonical(sorted(kept, key=lambda opening: canonical(opening[1])))

    assert judged(repacked(left, tell), TRUST).verdict == "invalid"


@pytest.mark.parametrize(
    "statement",
    [None, b"{}", b'{"of":"x"}', "another", "more", "count"],
)
def test_a_redaction_that_says_something_else_of_itself_is_refused_by_both(statement: bytes | str | None) -> None:
    def change(entries: dict[str, bytes]) -> None:
        said = json.loads(entries.pop("redaction.json"))
        if statement == "another":
            said["of"] = "0" * 64
        if statement == "more":
            said["note"] = "approved by the regulator"
        if statement == "count":
            said["withheld"] += 1
        if statement is not None:
            entries["redaction.json"] = canonical(said) if isinstance(statement, str) else statement

    left = redact(PACK, Request(fields=("answer",)))
    assert judged(repacked(left, change), TRUST).verdict == "invalid"
    said = zipform.read(left)["redaction.json"]
    assert judged(repacked(PACK, lambda entries: entries.update({"redaction.json": said})), TRUST).verdict == "invalid"


def test_scores_that_tell_an_answer_by_its_target_are_warned_of() -> None:
    [first, second] = preview(PACK, Request(fields=("answer",))).warnings[:2]
    assert "contains of cite@1 / starter" in first
    assert "with the targets, which are open, they give away the answer of q1" in first
    assert "contains of quotes" in second
    both = preview(PACK, Request(fields=("answer", "target"))).warnings
    assert not any("give away" in warning for warning in both)


def test_a_mean_that_tells_the_last_of_n_is_warned_of() -> None:
    told = preview(with_samples(), Request(samples=("q2",), fields=("answer", "target")))
    [warning] = [text for text in told.warnings if "with the mean" in text]
    assert "contains of quotes: 1 of 2 samples stay open" in warning
    assert "that it doesn't hold for the last, q2" in warning
    other = preview(with_samples(), Request(samples=("q1",), fields=("answer", "target")))
    assert any("that it holds for the last, q1" in text for text in other.warnings)


def test_what_is_signed_and_still_shows_a_text_is_told() -> None:
    warnings = preview(PACK, Request(texts=("handbook",))).warnings
    assert "records/run.json is signed and still shows “handbook”." in warnings
    assert any(
        "Ben Okafor" in text and "cards.json" in text
        for text in preview(PACK, Request(texts=("Ben Okafor",), fields=("path",))).warnings
    )


def test_an_answer_that_stands_in_a_passage_that_stays_is_warned_of() -> None:
    def tell(record: Any) -> None:
        record["answer"]["answer"] = "Report within <15> days."

    outcomes = (altered(CONTENT.outcomes[0], tell), *CONTENT.outcomes[1:])
    whole = pack(msgspec.structs.replace(CONTENT, outcomes=outcomes))
    request = Request(fields=("answer",))
    assert any("word for word in passages" in text for text in preview(whole, request).warnings)
    assert not any("word for word" in text for text in preview(whole, Request(fields=("answer", "passages"))).warnings)
