"""Aliases: names that people use for a purpose, each pointing at one model's file by its digest.

Rules: an alias stands wherever a model's name does, and what is recorded is the digest that it led to. It is moved by a person and logged with
what it pointed at before; every pointing is kept. A name is a model's or an alias's, never both. An alias doesn't follow a name: when another
file is registered under the model's name, it still means the old file.
"""

from core.errors import AlreadyExists, NotFound
from core.models import store
from core.models.records import ModelAlias, MoveAlias
from core.models.service import Models, checked_name
from core.records import Digest, now
from core.vault import versions
from core.vault.roles import Act
from core.vault.unit import Unit
from core.vault.vault import Vault


class ModelAliases:
    """The aliases of an open vault's models."""

    def __init__(self, vault: Vault, models: Models) -> None:
        self._vault = vault
        self._models = models

    def list(self) -> tuple[ModelAlias, ...]:
        """Where each alias points now, by name."""
        with self._vault.read() as reader:
            return store.aliases(reader)

    def history(self, name: str) -> tuple[ModelAlias, ...]:
        """Where an alias pointed, newest first; an ending has no model. Raises `NotFound`."""
        with self._vault.read() as reader:
            found = versions.digests(reader, store.ALIAS, name)
            if not found:
                raise _missing(name)
            return tuple(reader.get(found[number], ModelAlias) for number in sorted(found, reverse=True))

    def move(self, request: MoveAlias) -> ModelAlias:
        """Point an alias at a model, given by name, digest or alias. Raises `NotFound`, `AlreadyExists` (a model's name), `BadInput`, `Refused`."""
        name = checked_name(request.name)
        model = self._models.show(request.model)
        with self._vault.write(Act.MOVE_ALIAS, about=name, reason=request.reason) as unit:
            if store.find(unit, name) is not None:
                raise AlreadyExists(kind="model", name=name, step="Choose another name for the alias.")
            return self._point(unit, name, model.digest, model.name)

    def end(self, name: str, reason: str = "") -> None:
        """Let an alias point at nothing. Raises `NotFound`, `Refused`."""
        with self._vault.write(Act.MOVE_ALIAS, about=name, reason=reason) as unit:
            if not store.pointed(unit, name):
                raise _missing(name)
            self._point(unit, name, Digest(""), "")

    def _point(self, unit: Unit, name: str, model: Digest, called: str) -> ModelAlias:
        before = store.pointed(unit, name)

        def make(number: int, parent: Digest | None) -> ModelAlias:
            return ModelAlias(
                name=name,
                number=number,
                model=model,
                model_name=called,
                parent=parent,
                author=unit.user.user,
                saved=now(),
            )

        _, alias, _ = versions.save(unit, store.ALIAS, name, ModelAlias, lambda last: last.model == model, make)
        unit.note(before=before or "none", after=model or "none")
        return alias


def _missing(name: str) -> NotFound:
    return NotFound(kind="alias", name=name, step="`assay model aliases` shows them; `assay model alias` makes one.")
