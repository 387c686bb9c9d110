"""Prompts: immutable versions, their differences, signatures and labels.

A name has versions 1, 2, 3…; saving the same content again makes none. A version is checked as a template before it is kept, is never
changed afterwards, and is named `name@number`, `name@label` or `name` (its latest). Nobody reviews or approves a version that they wrote.
Labels move when the policy's signatures are there; `approved` moves by itself with the approval that completes them.
"""

from collections.abc import Callable

from core.errors import BadInput, Refused
from core.inference.records import TEXT
from core.inference.service import Engine
from core.prompts.diff import diff_words
from core.prompts.records import DiffPart, PromptState, PromptVersion, SavedPrompt, SavePrompt, SignPrompt
from core.records import Digest, now
from core.vault import policies, sessions, versions
from core.vault.records import Signature
from core.vault.roles import Act
from core.vault.signing import Signer
from core.vault.unit import Reader, Unit
from core.vault.vault import Vault

_KIND = "prompt"
Gate = Callable[[Reader, Digest], str]
"""Why a version may not be released, in one sentence; "" when nothing speaks against it."""
_ROLES = ("system", "user", "assistant")


class Prompts:
    """The operations on prompts of one open vault."""

    def __init__(self, vault: Vault, engine: Engine, gate: Gate = lambda _, __: "") -> None:
        """`gate` is asked before `approved` or another label that the policy ties to an approval moves."""
        self._vault = vault
        self._engine = engine
        self._gate = gate

    def save(self, request: SavePrompt) -> SavedPrompt:
        """Keep a new version, or find that it equals the latest. Raises `TemplateError` with the line, `BadInput`."""
        self._check(request)

        def make(number: int, parent: Digest | None) -> PromptVersion:
            return PromptVersion(
                name=request.name,
                number=number,
                messages=request.messages,
                notes=request.notes,
                parent=parent,
                author=self._vault.user.user,
                saved=now(),
            )

        def same(last: PromptVersion) -> bool:
            return last.messages == request.messages and last.notes == request.notes

        with self._vault.write(Act.SAVE_PROMPT, about=request.name) as unit:
            digest, prompt, created = versions.save(unit, _KIND, request.name, PromptVersion, same, make)
        return SavedPrompt(digest=digest, prompt=prompt, created=created)

    def list(self) -> tuple[PromptState, ...]:
        """The latest version of each prompt, by name."""
        with self._vault.read() as reader:
            return tuple(_state(reader, digest) for digest in versions.latest(reader, _KIND))

    def versions(self, name: str) -> tuple[PromptState, ...]:
        """All versions of a prompt, newest first. Raises `NotFound`."""
        with self._vault.read() as reader:
            versions.resolve(reader, _KIND, name)
            digests = versions.digests(reader, _KIND, name)
            return tuple(_state(reader, digest) for _, digest in sorted(digests.items(), reverse=True))

    def show(self, reference: str) -> PromptState:
        """One version, by `name@number`, `name@label` or `name`. Raises `NotFound`."""
        with self._vault.read() as reader:
            return _state(reader, versions.resolve(reader, _KIND, reference))

    def diff(self, old: str, new: str) -> tuple[DiffPart, ...]:
        """The word diff of two versions' messages, each message headed by its role."""
        return diff_words(as_text(self.show(old).prompt), as_text(self.show(new).prompt))

    def signatures(self, reference: str) -> tuple[Signature, ...]:
        """Who signed a version, oldest first."""
        with self._vault.read() as reader:
            return reader.signatures(versions.resolve(reader, _KIND, reference))

    def sign(self, request: SignPrompt, signer: Signer) -> Signature:
        """Sign a version's exact content. Raises `Refused` when an author approves their own work."""
        state = self.show(request.reference)
        act = Act.APPROVE if request.meaning == "approved" else Act.SIGN
        with self._vault.write(act, about=state.prompt.reference, reason=request.reason) as unit:
            authors = unit.authors(state.digest)
            versions.check_signer(state.prompt.reference, authors, signer.user.user, request.meaning)
            signature = unit.sign(signer, state.digest, state.prompt.reference, request.meaning, request.reason)
            if policies.approved(unit, state.digest) and not self._gate(unit, state.digest):
                policies.move_label(unit, _KIND, state.prompt.name, "approved", state.prompt.number)
            return signature

    def approve(self, reference: str, reason: str, signer: Signer) -> Signature:
        """Sign a version as approved, which moves the label `approved` to it once the policy's signatures are all there."""
        return self.sign(SignPrompt(reference=reference, meaning="approved", reason=reason), signer)

    def label(self, reference: str, label: str, reason: str = "") -> PromptState:
        """Point a label at a version. `approved` is moved by approving alone.

        Raises `Refused` while signatures that the policy asks for are missing, or an evaluation's gate isn't met.
        """
        if label == "approved":
            with sessions.refusals(self._vault, Act.LABEL, f"{reference} approved"):
                raise Refused(act=f"Label {reference} approved", reason="Approving a version sets this label.")
        versions.check_name("label", label)
        state = self.show(reference)
        prompt = state.prompt
        with self._vault.write(Act.LABEL, about=f"{prompt.reference} {label}", reason=reason) as unit:
            if policies.current(unit).rule(label).meaning == "approved" and (problem := self._gate(unit, state.digest)):
                raise Refused(act=f"Label {prompt.reference} {label}", reason=problem)
            policies.move_label(unit, _KIND, prompt.name, label, prompt.number)
        return self.show(prompt.reference)

    def held_back(self, reference: str) -> str:
        """Why a version is not approved although it may be signed: what its evaluations say, in one sentence; "" for nothing."""
        with self._vault.read() as reader:
            return self._gate(reader, versions.resolve(reader, _KIND, reference))

    def settle(self, unit: Unit, digest: Digest) -> None:
        """Move `approved` to a version that nothing holds back any more, unless a later version has it."""
        prompt = unit.get(digest, PromptVersion)
        pointed = versions.labels(unit, _KIND, prompt.name).get("approved", 0)
        if pointed < prompt.number and policies.approved(unit, digest) and not self._gate(unit, digest):
            policies.move_label(unit, _KIND, prompt.name, "approved", prompt.number)

    def _check(self, request: SavePrompt) -> None:
        if not request.messages:
            raise BadInput(source=request.name, problem="a prompt needs at least one message.")
        for message in request.messages:
            if message.role not in _ROLES and [message.role for message in request.messages] != [TEXT]:
                raise BadInput(source=request.name, problem=f"the role {message.role} is none of {', '.join(_ROLES)}.")
            self._engine.check_template(f"{request.name}, {message.role}", message.content)


def as_text(prompt: PromptVersion) -> str:
    """A prompt as one text for reading and comparing."""
    return "\n\n".join(f"{message.role}:\n{message.content}" for message in prompt.messages)


def signing_text(prompt: PromptVersion) -> str:
    """All that a signature on a version covers, as one text: what it says, and what it says of itself."""
    parent = prompt.parent or "none"
    head = f"{prompt.reference} by {prompt.author}, saved {prompt.saved}\nThe version before it: {parent}"
    notes = [f"notes:\n{prompt.notes}"] if prompt.notes else []
    return "\n\n".join((head, *notes, as_text(prompt)))


def _state(reader: Reader, digest: Digest) -> PromptState:
    prompt = reader.get(digest, PromptVersion)
    labels = versions.labels(reader, _KIND, prompt.name)
    return PromptState(
        digest=digest,
        prompt=prompt,
        labels=tuple(label for label, number in labels.items() if number == prompt.number),
        signed=tuple((signature.meaning, signature.name) for signature in reader.signatures(digest)),
    )
