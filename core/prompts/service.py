"""Prompts: immutable versions, their differences, signatures and labels.

A name has versions 1, 2, 3…; saving the same content again makes none. A version is checked as a template before it is kept, is never
changed afterwards, and is named `name@number`, `name@label` or `name` (its latest). Nobody reviews or approves a version that they wrote.
Labels move when the policy's signatures are there; `approved` moves by itself with the approval that completes them. Teams commonly use
`LABELS`, in that order; any other name serves as a label too.
"""

import json
from collections.abc import Callable

import msgspec
from msgspec import UNSET

from core.errors import BadInput, NotFound, Refused
from core.inference.records import TEXT, Generate, Message
from core.inference.service import Engine
from core.jobs import Job
from core.prompts.contracts import check_contract
from core.prompts.diff import diff_words
from core.prompts.filling import Examples, check_variables, fill
from core.prompts.records import (
    Contract,
    DiffPart,
    Given,
    Preview,
    PromptState,
    PromptVersion,
    Sampling,
    SavedPrompt,
    SavePrompt,
    SignPrompt,
    Variable,
)
from core.records import Digest, Json, now
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
LABELS = ("draft", "candidate", "approved", "production")
"""From being written to being used. Policies of new vaults ask for an approval before the last two."""


def _no_examples(reference: str) -> tuple[str, tuple[dict[str, Json], ...]]:
    raise NotFound(kind="dataset", name=reference, step="Examples need a dataset.")


class Prompts:
    """The operations on prompts of one open vault."""

    def __init__(
        self, vault: Vault, engine: Engine, gate: Gate = lambda _, __: "", examples: Examples = _no_examples
    ) -> None:
        """`gate` is asked before `approved` or another label that the policy ties to an approval moves; `examples` finds a dataset's version."""
        self._vault = vault
        self._engine = engine
        self._gate = gate
        self._examples = examples

    def save(self, request: SavePrompt) -> SavedPrompt:
        """Keep a new version, or find that it equals the latest. Raises `TemplateError` with the line, `BadInput`, which name the variable
        that is wrong, and `NotFound` for a dataset of examples that isn't there."""
        request = self._checked(request)

        def make(number: int, parent: Digest | None) -> PromptVersion:
            return drafted(request, number, parent, self._vault.user.user, now())

        def same(last: PromptVersion) -> bool:
            return content(last) == request

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

    def diff_rendered(self, old: str, new: str, given: Given, job: Job | None = None) -> tuple[DiffPart, ...]:
        """The word diff of what two versions make of the same values, each of those that it has. Raises as `rendered`."""
        texts = []
        for prompt in (self.show(old).prompt, self.show(new).prompt):
            known = {variable.name for variable in prompt.declared} or set(given.values)
            own = msgspec.structs.replace(given, values={n: v for n, v in given.values.items() if n in known})
            texts.append(messages_text(self.rendered(prompt, own, job)))
        return diff_words(*texts)

    def check(self, request: SavePrompt) -> None:
        """Whether this could be saved; nothing is. Raises as `save`."""
        self._checked(request)

    def values(self, prompt: PromptVersion, given: Given) -> dict[str, Json]:
        """What a version's templates are rendered with. Raises `BadInput` naming the variable, `NotFound` for its dataset."""
        return fill(prompt, given, self._examples)

    def rendered(self, prompt: PromptVersion, given: Given, job: Job | None = None) -> tuple[Message, ...]:
        """A version's messages with values. Raises as `values`, and `TemplateError` with message and line."""
        return self._engine.render(prompt.messages, self.values(prompt, given), job)

    def preview(self, request: SavePrompt, given: Given, model: str = "", job: Job | None = None) -> Preview:
        """What isn't saved yet, checked and rendered; with a model, its tokens too. Raises as `save` and `rendered`."""
        prompt = drafted(self._checked(request), 1, None, "", "")
        values = self.values(prompt, given)
        messages = self._engine.render(prompt.messages, values, job)
        if not model:
            return Preview(messages=messages, tokens=0)
        seen = self._engine.tokens(Generate(model=model, messages=messages), job)
        return Preview(messages=messages, tokens=len(seen.tokens), window=seen.window)

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

    def _checked(self, request: SavePrompt) -> SavePrompt:
        """The same with its datasets as versions, if it can be a prompt at all."""
        if not request.messages:
            raise BadInput(source=request.name, problem="a prompt needs at least one message.")
        read: dict[str, tuple[int, int]] = {}
        for number, message in enumerate(request.messages, 1):
            if message.role not in _ROLES and [message.role for message in request.messages] != [TEXT]:
                raise BadInput(source=request.name, problem=f"the role {message.role} is none of {', '.join(_ROLES)}.")
            found = self._engine.template_lines(f"{request.name}, {message.role}", message.content)
            read = {name: (number, line) for name, line in found.items()} | read
        check_variables(request, read)
        check_contract(request.contract, request.name)
        check_sampling(request.settings, request.name)
        return msgspec.structs.replace(request, variables=tuple(self._pinned(one) for one in request.variables))

    def _pinned(self, variable: Variable) -> Variable:
        if variable.kind != "examples":
            return variable
        reference, samples = self._examples(variable.dataset)
        if not samples:
            raise BadInput(source=f"Variable {variable.name}", problem=f"{reference} has no samples.")
        return msgspec.structs.replace(variable, dataset=reference)


def drafted(request: SavePrompt, number: int, parent: Digest | None, author: str, saved: str) -> PromptVersion:
    """The version that a request makes; what it has none of is left out of the record."""
    typed = bool(request.variables) or request.contract != Contract() or request.settings != Sampling()
    return PromptVersion(
        version=2 if typed else 1,
        name=request.name,
        number=number,
        messages=request.messages,
        notes=request.notes,
        parent=parent,
        author=author,
        saved=saved,
        variables=request.variables or UNSET,
        contract=request.contract if request.contract != Contract() else UNSET,
        settings=request.settings if request.settings != Sampling() else UNSET,
    )


def content(prompt: PromptVersion) -> SavePrompt:
    """What a version says, without its place and its author."""
    return SavePrompt(
        name=prompt.name,
        messages=prompt.messages,
        notes=prompt.notes,
        variables=prompt.declared,
        contract=prompt.promised,
        settings=prompt.sampling,
    )


def check_sampling(settings: Sampling, name: str) -> None:
    """Raise `BadInput` for settings that no model can follow."""
    bounds = (
        ("max_tokens", settings.max_tokens, 1, 2**31 - 1, "1 or more"),
        ("temperature", settings.temperature, 0, 10, "0 to 10"),
        ("top_p", settings.top_p, 1e-6, 1, "above 0 to 1"),
        ("top_k", settings.top_k, 0, 2**31 - 1, "0 (no limit) or more"),
        ("repeat_penalty", settings.repeat_penalty, 1e-6, 10, "above 0 to 10"),
    )
    for field, value, least, most, said in bounds:
        if value is not None and not least <= value <= most:
            raise BadInput(source=f"{name}, settings", problem=f"{field}: use {said}.")
    if not all(settings.stop):
        raise BadInput(source=f"{name}, settings", problem="a stop text is empty. Take it out.")


def messages_text(messages: tuple[Message, ...]) -> str:
    """Messages as one text, each headed by its role."""
    return "\n\n".join(f"{message.role}:\n{message.content}" for message in messages)


def as_text(prompt: PromptVersion) -> str:
    """A prompt as one text for reading and comparing: what it is filled with and what it promises, where it says, and its messages."""
    parts = [_variable_line(variable) for variable in prompt.declared]
    head = ["variables:\n" + "\n".join(parts)] if parts else []
    if prompt.promised.form != "text":
        head.append(f"contract:\n{contract_line(prompt.promised)}")
    if said := settings_line(prompt.sampling):
        head.append(f"settings:\n{said}")
    return "\n\n".join((*head, messages_text(prompt.messages)))


def contract_line(contract: Contract) -> str:
    """A contract in words."""
    if contract.form == "choice":
        return f"one of: {', '.join(contract.choices)}"
    if contract.form == "json":
        return f"JSON that follows {json.dumps(contract.schema, ensure_ascii=False, sort_keys=True)}"
    return "text"


def settings_line(settings: Sampling) -> str:
    """Settings in words, those alone that are set."""
    given = {name: getattr(settings, name) for name in settings.__struct_fields__ if name != "version"}
    return ", ".join(f"{name} {json.dumps(value)}" for name, value in given.items() if value not in (None, ()))


def _variable_line(variable: Variable) -> str:
    details = {
        "of": ", ".join(variable.choices),
        "from": variable.least,
        "to": variable.most,
        "dataset": f"{variable.dataset}, the first {variable.count}" if variable.dataset else "",
        "source": variable.source,
        "default": variable.default,
    }
    said = "".join(f"; {name} {value}" for name, value in details.items() if value not in (None, ""))
    described = f"  # {variable.description}" if variable.description else ""
    return f"{variable.name}: {variable.kind}{said}{described}"


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
