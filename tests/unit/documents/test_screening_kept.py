"""Documents that wait, under legal hold and erasure: a hold keeps them, an erasure forgets them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Refused
from core.jobs import Job
from core.vault import erasure, holds
from core.vault.erasure import Erase
from core.vault.holds import PlaceHold, Thing
from core.workbench import ERASABLES
from core.workbench import SCHEMA as EVERYTHING
from tests.unit.documents import test_screening
from tests.unit.documents.test_screening import SECRET, TEXT, Stage
from tests.unit.documents.workspace import PASSPHRASE

CLEAN = "The tower has nine floors, and the gate closes at eight.\n"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(test_screening, "TABLES", EVERYTHING)
    made = Stage(tmp_path)
    with made.space:
        yield made


def hold(stage: Stage, kind: str, reference: str) -> None:
    with stage.vault.confirm(PASSPHRASE) as signer:
        holds.place(
            stage.vault,
            ERASABLES,
            signer,
            PlaceHold(name="case 7", reason="A lawsuit", things=(Thing(kind=kind, reference=reference),)),
        )


def release(stage: Stage) -> None:
    with stage.vault.confirm(PASSPHRASE) as signer:
        holds.release(stage.vault, ERASABLES, signer, "case 7", "It ended")


def erase(stage: Stage, kind: str, reference: str) -> None:
    request = Erase(things=(Thing(kind=kind, reference=reference),), reason="Asked for by law")
    with stage.vault.confirm(PASSPHRASE) as signer:
        erasure.erase(stage.vault, ERASABLES, signer, request, Job("Erase"))


def waiting(stage: Stage) -> list[str]:
    return [one.name for one in stage.screening.state("manuals").waiting]


def screened(stage: Stage) -> str:
    """What the tables of screening hold, but for the policies."""
    with stage.vault.read() as reader:
        names = ("waiting", "findings", "decisions", "excluded", "signatures")
        return repr([reader.db.execute(f"SELECT * FROM screening_{name}").fetchall() for name in names])


def test_an_erased_document_takes_its_waiting_version_along(stage: Stage) -> None:
    stage.policy()
    stage.space.add(
        stage.file("a.md", CLEAN), stage.file("b.md", "Another text altogether, about boats and harbours.\n")
    )
    stage.space.add(stage.file("a.md", TEXT))
    assert waiting(stage) == ["a.md"]
    erase(stage, "document", "manuals/a.md")
    assert waiting(stage) == []
    assert "a.md" not in screened(stage)
    assert SECRET not in screened(stage)
    assert stage.space.names() == ["b.md"]


def test_erasing_an_old_version_leaves_the_one_that_waits(stage: Stage) -> None:
    stage.policy()
    stage.space.add(stage.file("a.md", CLEAN))
    old = stage.space.documents.list("manuals")[0][0]
    stage.space.add(stage.file("a.md", CLEAN.replace("nine", "ten")))
    stage.space.add(stage.file("a.md", TEXT))
    erase(stage, "document", old)
    assert waiting(stage) == ["a.md"]
    assert SECRET in screened(stage)


def test_an_erased_collection_keeps_nothing_that_waits(stage: Stage) -> None:
    stage.policy()
    stage.space.add(stage.file("a.md", CLEAN), stage.file("c.md", TEXT))
    assert waiting(stage) == ["c.md"]
    erase(stage, "collection", "manuals")
    assert screened(stage) == repr([[]] * 5)


@pytest.mark.parametrize(("kind", "reference"), [("collection", "manuals"), ("document", "manuals/a.md")])
def test_what_waits_under_a_hold_cant_be_excluded_until_it_is_released(stage: Stage, kind: str, reference: str) -> None:
    stage.policy()
    stage.space.add(stage.file("a.md", CLEAN))
    stage.space.add(stage.file("a.md", TEXT))
    hold(stage, kind, reference)
    stage.decide("exclude")
    with pytest.raises(Refused, match="The hold case 7 keeps it"):
        stage.admit()
    assert waiting(stage) == ["a.md"]
    with pytest.raises(Refused):
        erase(stage, "document", "manuals/a.md")
    release(stage)
    assert stage.admit().excluded == 1
    assert SECRET not in screened(stage)


def test_a_newer_version_waits_beside_one_that_is_held(stage: Stage) -> None:
    stage.policy()
    stage.space.add(stage.file("z.md", CLEAN), stage.file("a.md", TEXT))
    hold(stage, "collection", "manuals")
    stage.space.add(stage.file("a.md", TEXT.replace("nine", "ten")))
    names = waiting(stage)
    assert len(names) == 2
    assert names[0] == "a.md"
    assert names[1].startswith("a.md (held, ")
    assert "has nine floors" in screened(stage)


def test_without_a_hold_the_newer_version_takes_the_place(stage: Stage) -> None:
    stage.policy()
    stage.space.add(stage.file("z.md", CLEAN), stage.file("a.md", TEXT))
    stage.space.add(stage.file("a.md", TEXT.replace("nine", "ten")))
    assert waiting(stage) == ["a.md"]
    assert "has nine floors. Write" not in screened(stage)
