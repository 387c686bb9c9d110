"""Model cards: versions, approval by somebody else, and a policy that wants it."""

from pathlib import Path

import pytest

from core.errors import BadInput, NotFound, Refused
from core.models import cards
from core.models.cards import ModelCards, check_use, signing_text
from core.models.records import FAKE, AddModel, SaveCard, SignCard
from core.models.service import Models
from core.records import Digest
from core.trust.passphrases import Kdf, new_kdf
from core.vault import policies
from core.vault.joining import Joined
from core.vault.roles import Act
from core.vault.vault import Vault

WORDS, OTHER_WORDS = "several words together", "quite other words here"
RUN = Digest("ab" * 32)


def weak() -> Kdf:
    return new_kdf(memory=8192, passes=1)


@pytest.fixture
def described(vault: Vault, models: Models, stories: Path) -> ModelCards:
    """The cards of a vault with one model, a reviewer beside the author, and one run."""

    def run(name: str) -> Digest:
        if name != "run-1":
            raise NotFound(kind="run", name=name, step="-")
        return RUN

    models.add(AddModel(path=str(stories), name="tiny"))
    models.asked.append(cards.approved_use)
    with vault.confirm(WORDS) as signer:
        vault.add_user(signer, "ria", "Ria", ("reviewer",), OTHER_WORDS, kdf=weak)
    return ModelCards(vault, models, run)


def approve(vault: Vault, described: ModelCards, reference: str) -> None:
    """As the reviewer, in their own sitting."""
    theirs = Joined(vault, "ria")
    with theirs.confirm(OTHER_WORDS) as signer:
        other = ModelCards(theirs, described._models, described._run)
        other.sign(SignCard(reference=reference, meaning="approved", reason="fits"), signer)


def set_policy(vault: Vault, value: str) -> None:
    with vault.confirm(WORDS) as signer:
        policies.change(vault, {"approved-models": value}, "as agreed", signer)


def test_a_card_is_kept_in_versions_and_what_is_not_given_stays(described: ModelCards, models: Models) -> None:
    first = described.save(SaveCard(model="tiny", intended="stories", evaluations=("run-1",)))
    assert (first.card.reference, first.card.model, first.card.evaluations) == (
        "tiny@1",
        models.show("tiny").digest,
        (RUN,),
    )
    assert not described.save(SaveCard(model="tiny", intended="stories")).created
    second = described.save(SaveCard(model="tiny", limits="English only"))
    assert (second.card.number, second.card.intended, second.card.limits) == (2, "stories", "English only")
    assert [state.card.number for state in described.versions("tiny")] == [2, 1]
    assert [state.card.reference for state in described.list()] == ["tiny@2"]
    text = signing_text(second.card)
    assert all(part in text for part in ("stories", "English only", RUN, second.card.model, "tiny@2"))


def test_what_has_no_card(described: ModelCards) -> None:
    with pytest.raises(NotFound, match="assay model card save"):
        described.show("tiny")
    with pytest.raises(NotFound, match="run-9"):
        described.save(SaveCard(model="tiny", evaluations=("run-9",)))
    with pytest.raises(BadInput, match="built-in"):
        described.save(SaveCard(model=FAKE))
    with pytest.raises(NotFound):
        described.save(SaveCard(model="nobody"))
    assert described.list() == ()


def test_nobody_approves_their_own_card(described: ModelCards, vault: Vault) -> None:
    described.save(SaveCard(model="tiny", intended="stories"))
    with vault.confirm(WORDS) as signer, pytest.raises(Refused):
        described.sign(SignCard(reference="tiny@1", meaning="approved"), signer)
    assert not described.show("tiny").approved


def test_an_approved_model_is_one_whose_very_file_was_approved(
    described: ModelCards, models: Models, vault: Vault, stories: Path
) -> None:
    described.save(SaveCard(model="tiny", intended="stories"))
    approve(vault, described, "tiny@1")
    state = described.show("tiny@1")
    assert (state.approved, state.current) == (True, True)
    assert state.signed == (("approved", "Ria"),)
    described.save(SaveCard(model="tiny", limits="more is known"))
    assert not described.show("tiny").approved
    assert described.show("tiny@approved").card.number == 1
    stories.write_bytes(stories.read_bytes() + bytes(32))
    models.add(AddModel(path=str(stories), name="tiny"))
    state = described.show("tiny@1")
    assert (state.approved, state.current) == (False, False)
    with vault.read() as reader:
        assert "about another file" in cards.unapproved(reader, models.show("tiny"))


def test_the_policy_keeps_unapproved_models_from_answering_and_from_evaluations(
    described: ModelCards, models: Models, vault: Vault
) -> None:
    tiny = models.show("tiny")
    for use in ("answers", "evaluations"):
        check_use(vault, tiny, use)
    set_policy(vault, "answers")
    check_use(vault, tiny, "evaluations")
    with pytest.raises(Refused, match="nobody approved the card of tiny"):
        check_use(vault, tiny, "answers")
    with pytest.raises(Refused):
        check_use(vault, models.show(FAKE), "answers")
    set_policy(vault, "all")
    with pytest.raises(Refused):
        check_use(vault, tiny, "evaluations")
    described.save(SaveCard(model="tiny", intended="stories"))
    approve(vault, described, "tiny@1")
    for use in ("answers", "evaluations"):
        check_use(vault, tiny, use)


def test_an_approval_can_be_withdrawn_and_holds_the_model_until_then(
    described: ModelCards, models: Models, vault: Vault
) -> None:
    described.save(SaveCard(model="tiny", intended="stories"))
    approve(vault, described, "tiny@1")
    with pytest.raises(Refused, match="its card tiny@1 is approved"):
        models.remove("tiny")
    theirs = ModelCards(Joined(vault, "ria"), models, described._run)
    with pytest.raises(BadInput, match="needs a reason"):
        theirs.withdraw("tiny", "")
    assert not theirs.withdraw("tiny", "wrong answers about doses").approved
    with pytest.raises(NotFound, match="isn't approved"):
        theirs.withdraw("tiny", "again")
    with vault.read() as reader:
        last = reader.log(200)[-1]
    assert (last.act, last.user, last.reason) == (Act.APPROVE, "ria", "wrong answers about doses")
    models.remove("tiny")


def test_a_label_without_its_signatures_approves_nothing(described: ModelCards, models: Models, vault: Vault) -> None:
    """Whoever writes into the file can set a label; the signatures are what counts."""
    described.save(SaveCard(model="tiny", intended="stories"))
    with vault.write(Act.DESCRIBE_MODEL, about="forged") as unit:
        unit.db.execute("INSERT INTO labels VALUES ('model-card', 'tiny', 'approved', 1)")
    assert not described.show("tiny").approved
    set_policy(vault, "answers")
    with pytest.raises(Refused, match="signatures"):
        check_use(vault, models.show("tiny"), "answers")
