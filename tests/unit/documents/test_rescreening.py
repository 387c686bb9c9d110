"""What is in a collection already is screened again: by a policy that came later, without losing a document or a decision."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.documents.screening.records import Rescreened
from core.errors import BadInput
from core.jobs import Job
from tests.unit.documents.test_screening import SECRET, TEXT, Stage

PLAIN = "The hall has three doors.\n"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    made.space.add(made.file("tower.md", TEXT), made.file("hall.md", PLAIN))
    yield made
    made.space.close()


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
    digest = next(digest for digest, document in stage.space.documents.list("manuals") if document.name == "tower.md")
    assert SECRET not in stage.space.documents.text(digest, 1)
    assert "nine floors" in stage.space.documents.text(digest, 1)
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
    digest = next(digest for digest, document in stage.space.documents.list("manuals") if document.name == "tower.md")
    assert "A newer line." in stage.space.documents.text(digest, 1)
