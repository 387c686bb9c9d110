"""Model cards: what a model is for, where it comes from, under which licence, its limits and its results; approved by a reviewer.

Rules: a card is about one file's digest; versions are immutable and signed as prompts are, and nobody reviews or approves what they wrote.
A model is approved while the label `approved` of its card points at a version about exactly this file, and the policy's signatures on that
version hold. Another file under the name needs another card. Withdrawing an approval takes the label away and is in the log.
"""

from collections.abc import Callable

from core.errors import BadInput, NotFound, Refused
from core.models import store
from core.models.records import FAKE, CardState, ModelCard, ModelFile, SaveCard, SavedCard, SignCard
from core.models.service import Models
from core.records import Digest, now
from core.vault import policies, versions
from core.vault.records import Signature
from core.vault.roles import Act
from core.vault.signing import Signer
from core.vault.unit import Reader
from core.vault.vault import Vault

KIND = "model-card"
LABEL = "approved"


class ModelCards:
    """The cards of an open vault's models. `run` gives the digest of an evaluation run that a card names, or raises `NotFound`."""

    def __init__(self, vault: Vault, models: Models, run: Callable[[str], Digest]) -> None:
        self._vault = vault
        self._models = models
        self._run = run

    def save(self, request: SaveCard) -> SavedCard:
        """Keep a new version of a model's card, or find that it equals the latest; what isn't given stays as in the latest version.

        Raises `NotFound` (the model, a run), `BadInput`, `Refused`."""
        model = self._models.show(request.model)
        if model.name == FAKE:
            raise BadInput(source=FAKE, problem="the built-in model gets no card. Choose a registered one.")
        runs = None if request.evaluations is None else tuple(dict.fromkeys(map(self._run, request.evaluations)))
        with self._vault.write(Act.DESCRIBE_MODEL, about=model.name) as unit:
            last = _latest(unit, model.name)

            def make(number: int, parent: Digest | None) -> ModelCard:
                return _card(request, runs, last, model, number, parent, self._vault.user.user)

            def same(kept: ModelCard) -> bool:
                made = make(kept.number, kept.parent)
                return _content(made) == _content(kept)

            digest, card, created = versions.save(unit, KIND, model.name, ModelCard, same, make)
        return SavedCard(digest=digest, card=card, created=created)

    def list(self) -> tuple[CardState, ...]:
        """The latest card of each model that has one, by name."""
        with self._vault.read() as reader:
            return tuple(_state(reader, digest) for digest in versions.latest(reader, KIND))

    def versions(self, name: str) -> tuple[CardState, ...]:
        """All versions of a model's card, newest first. Raises `NotFound`."""
        with self._vault.read() as reader:
            _resolve(reader, name)
            found = versions.digests(reader, KIND, name)
            return tuple(_state(reader, found[number]) for number in sorted(found, reverse=True))

    def show(self, reference: str) -> CardState:
        """One version, by `name@number`, `name@approved` or `name`. Raises `NotFound`."""
        with self._vault.read() as reader:
            return _state(reader, _resolve(reader, reference))

    def sign(self, request: SignCard, signer: Signer) -> Signature:
        """Sign a version's exact content; the approval that the policy waited for moves the label. Raises `Refused` for one's own work."""
        act = Act.APPROVE if request.meaning == "approved" else Act.SIGN
        state = self.show(request.reference)
        with self._vault.write(act, about=state.card.reference, reason=request.reason) as unit:
            authors = unit.authors(state.digest)
            versions.check_signer(state.card.reference, authors, signer.user.user, request.meaning)
            signature = unit.sign(signer, state.digest, state.card.reference, request.meaning, request.reason)
            if request.meaning == "approved" and policies.approved(unit, state.digest):
                policies.move_label(unit, KIND, state.card.name, LABEL, state.card.number)
            return signature

    def withdraw(self, name: str, reason: str) -> CardState:
        """End a model's approval. Raises `NotFound`, `BadInput` without a reason, `Refused`."""
        if not reason.strip():
            raise BadInput(source=name, problem="withdrawing an approval needs a reason. Give one.")
        state = self.show(name)
        with self._vault.write(Act.APPROVE, about=f"{state.card.name}: approval withdrawn", reason=reason) as unit:
            if not versions.labels(unit, KIND, state.card.name).get(LABEL):
                raise NotFound(kind="approval", name=state.card.name, step="The model isn't approved.")
            versions.set_label(unit, KIND, state.card.name, LABEL, 0)
        return self.show(name)


def check_use(vault: Vault, model: ModelFile, use: str) -> None:
    """Return if the policy lets a model be used for that: "answers" or "evaluations". Raises `Refused`."""
    with vault.read() as reader:
        wanted = policies.current(reader).approved_models
        problem = unapproved(reader, model) if wanted == "all" or (wanted, use) == ("answers", "answers") else ""
    if problem:
        raise Refused(act=f"Use {model.name} for {use}", reason=problem)


def approved_use(reader: Reader, model: ModelFile) -> list[str]:
    """The approved card that keeps a model, as the end of a sentence."""
    if unapproved(reader, model):
        return []
    number = versions.labels(reader, KIND, model.name)[LABEL]
    return [f"its card {model.name}@{number} is approved, which can be withdrawn"]


def unapproved(reader: Reader, model: ModelFile) -> str:
    """Why a model doesn't count as approved, in a sentence or two; "" when it does."""
    step = f"`assay model card show {model.name}` shows its card."
    number = versions.labels(reader, KIND, model.name).get(LABEL, 0)
    if not number:
        return f"The policy wants approved models, and nobody approved the card of {model.name}. {step}"
    digest = versions.digests(reader, KIND, model.name)[number]
    if reader.get(digest, ModelCard).model != model.digest:
        return f"The approved card of {model.name} is about another file. It needs a new card and a new approval."
    if not policies.approved(reader, digest):
        return f"The signatures on the approved card of {model.name} aren't what the policy wants. {step}"
    return ""


def signing_text(card: ModelCard) -> str:
    """All that a signature on a card covers, as one text."""
    runs = ", ".join(card.evaluations) or "none"
    parts = (
        f"{card.reference} by {card.author}, saved {card.saved}\nThe version before it: {card.parent or 'none'}",
        f"The model's file (SHA-256): {card.model}",
        f"Intended use:\n{card.intended}",
        f"Not intended for:\n{card.unsuited}",
        f"Source:\n{card.source}",
        f"Licence:\n{card.licence}",
        f"Limits:\n{card.limits}",
        f"Evaluation runs (digests): {runs}",
    )
    return "\n\n".join(parts)


def _card(
    request: SaveCard,
    runs: tuple[Digest, ...] | None,
    last: ModelCard | None,
    model: ModelFile,
    number: int,
    parent: Digest | None,
    author: str,
) -> ModelCard:
    def kept(given: str | None, before: str) -> str:
        return before if given is None else given

    return ModelCard(
        name=model.name,
        number=number,
        model=model.digest,
        intended=kept(request.intended, last.intended if last else ""),
        unsuited=kept(request.unsuited, last.unsuited if last else ""),
        source=kept(request.source, last.source if last else ""),
        licence=kept(request.licence, last.licence if last else model.licence),
        limits=kept(request.limits, last.limits if last else ""),
        evaluations=runs if runs is not None else (last.evaluations if last else ()),
        parent=parent,
        author=author,
        saved=now(),
    )


def _content(card: ModelCard) -> tuple[object, ...]:
    return (card.model, card.intended, card.unsuited, card.source, card.licence, card.limits, card.evaluations)


def _latest(reader: Reader, name: str) -> ModelCard | None:
    found = versions.digests(reader, KIND, name)
    return reader.get(found[max(found)], ModelCard) if found else None


def _resolve(reader: Reader, reference: str) -> Digest:
    if not versions.digests(reader, KIND, reference.partition("@")[0]):
        raise NotFound(kind="card of the model", name=reference, step="Write one with `assay model card save`.")
    return versions.resolve(reader, KIND, reference)


def _state(reader: Reader, digest: Digest) -> CardState:
    card = reader.get(digest, ModelCard)
    model = store.find(reader, card.name)
    labelled = versions.labels(reader, KIND, card.name).get(LABEL) == card.number
    return CardState(
        digest=digest,
        card=card,
        current=model is not None and model.digest == card.model,
        approved=labelled and model is not None and not unapproved(reader, model),
        signed=tuple((signature.meaning, signature.name) for signature in reader.signatures(digest)),
    )
