"""What is in a collection already is screened again: by a policy that came later, without losing a document or a decision."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.documents.screening import rescreening
from core.documents.screening.records import Finding, Rescreened
from core.documents.worker.records import Parsed
from core.errors import BadInput
from core.jobs import Job
from core.records import Digest
from tests.unit.documents.test_screening import SECRET, TEXT, Stage

PLAIN = "The hall has three doors.\n"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    made.space.add(made.file("tower.md", TEXT), made.file("hall.md", PLAIN))
    yield made
    made.space.close()


def current(stage: Stage) -> Digest:
    return next(digest for digest, one in stage.space.documents.list("manuals") if one.name == "tower.md")


def again(stage: Stage) -> Rescreened:
    return stage.screening.again("manuals", Job("Screen"))


def test_what_was_in_before_is_decided_and_comes_back_without_what_was_redacted(stage: Stage) -> None:
    with pytest.raises(BadInput, match="its screening is off"):
        again(stage)
    stage.policy("ask", kinds=("email",))
    done = again(stage)
    assert (done.clean, done.waiting, done.held, done.refused) == (1, ("tower.md",), (), ())
    assert stage.space.names() == ["hall.md"]
    assert again(stage).waiting == ()  # what waits isn't asked about twice
    assert stage.decide("redact") == 1
    assert stage.admit().added == 1
    assert stage.space.names() == ["hall.md", "tower.md"]
    assert SECRET not in stage.space.documents.text(current(stage), 1)
    assert "nine floors" in stage.space.documents.text(current(stage), 1)
    assert again(stage).waiting == ()  # the decision lasts
    assert stage.space.names() == ["hall.md", "tower.md"]


def test_what_the_policy_keeps_stays_in_search_and_new_kinds_count_alone(stage: Stage) -> None:
    stage.policy("automatic", kinds=("email",))
    assert again(stage).clean == 2
    stage.policy("ask", kinds=("email",))
    assert again(stage).clean == 2  # it was kept before
    stage.policy("ask", kinds=("email", "person"))
    assert again(stage).waiting == ("tower.md",)
    assert [(one.kind, one.decision) for one in stage.screening.findings("manuals")] == [
        ("email", "keep"),
        ("person", ""),
    ]


def test_a_newer_version_that_waits_is_not_pushed_out(stage: Stage) -> None:
    stage.policy("ask", kinds=("email",))
    stage.space.add(stage.file("tower.md", TEXT + "A newer line.\n"))
    done = again(stage)
    assert [one.file for one in done.refused] == ["tower.md"]
    assert done.waiting == ()
    stage.decide("redact")
    stage.admit()
    assert "A newer line." in stage.space.documents.text(current(stage), 1)


def test_a_newer_version_that_comes_while_the_old_one_is_looked_at_is_not_pushed_out(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.policy("ask", kinds=("email",))
    looked = rescreening.findings

    def coming(parsed: Parsed, *more: Any) -> Sequence[Finding]:
        if SECRET in parsed.pages[0].text:
            stage.space.add(stage.file("tower.md", TEXT + "A newer line.\n"))
        return looked(parsed, *more)

    monkeypatch.setattr(rescreening, "findings", coming)
    done = again(stage)
    assert (done.waiting, [one.file for one in done.refused]) == ((), ["tower.md"])
    assert stage.space.names() == ["hall.md", "tower.md"], "the older one is searched until the newer one is decided"
    stage.decide("redact")
    stage.admit()
    assert "A newer line." in stage.space.documents.text(current(stage), 1)


def test_a_document_that_is_removed_meanwhile_stays_out_and_holds_nothing_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.policy("ask", kinds=("email",))
    looked = rescreening.findings

    def going(parsed: Parsed, *more: Any) -> Sequence[Finding]:
        if SECRET in parsed.pages[0].text:
            stage.space.documents.remove(current(stage), "gone")
        return looked(parsed, *more)

    monkeypatch.setattr(rescreening, "findings", going)
    done = again(stage)
    assert (done.clean, done.waiting, [one.file for one in done.refused]) == (1, (), ["tower.md"])
    assert stage.screening.findings("manuals") == ()
