"""Who may do what: the role matrix as data.

Roles are sets; a person may do what any of their roles allows. An administrator runs the installation and its users, and has no say
in its content; an auditor reads everything and takes packs. That nobody approves their own work is not a matter of roles: the
services check it with `Reader.authors`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a person is in a vault."""

    ADMIN = "admin"
    AUTHOR = "author"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"


class Act(StrEnum):
    """Kinds of change, and the showing of a confidential document. The audit log holds these words: they never change."""

    CREATE_VAULT = "create-vault"
    ADD_USER = "add-user"
    REVOKE_USER = "revoke-user"
    ADD_MODEL = "add-model"
    REMOVE_MODEL = "remove-model"
    ADD_DOCUMENTS = "add-documents"
    REMOVE_DOCUMENTS = "remove-documents"
    SHOW_DOCUMENT = "show-document"
    ASK = "ask"
    SAVE_PROMPT = "save-prompt"
    SIGN = "sign"
    APPROVE = "approve"
    LABEL = "label"
    ADD_DATASET = "add-dataset"
    SAVE_SPEC = "save-spec"
    RUN_EVALUATION = "run-evaluation"
    EXPORT_PACK = "export-pack"
    EXPORT_DATASET = "export-dataset"
    CHANGE_SETTINGS = "change-settings"


ADMIN, AUTHOR, REVIEWER, AUDITOR = Role

ALLOWED: Mapping[Act, frozenset[Role]] = MappingProxyType(
    {
        Act.CREATE_VAULT: frozenset({ADMIN}),
        Act.ADD_USER: frozenset({ADMIN}),
        Act.REVOKE_USER: frozenset({ADMIN}),
        Act.ADD_MODEL: frozenset({ADMIN, AUTHOR}),
        Act.REMOVE_MODEL: frozenset({ADMIN, AUTHOR}),
        Act.ADD_DOCUMENTS: frozenset({AUTHOR}),
        Act.REMOVE_DOCUMENTS: frozenset({AUTHOR}),
        Act.SHOW_DOCUMENT: frozenset({AUTHOR, REVIEWER, AUDITOR}),
        Act.ASK: frozenset({AUTHOR, REVIEWER}),
        Act.SAVE_PROMPT: frozenset({AUTHOR}),
        Act.SIGN: frozenset({AUTHOR, REVIEWER}),
        Act.APPROVE: frozenset({REVIEWER}),
        Act.LABEL: frozenset({AUTHOR, REVIEWER}),
        Act.ADD_DATASET: frozenset({AUTHOR}),
        Act.SAVE_SPEC: frozenset({AUTHOR}),
        Act.RUN_EVALUATION: frozenset({AUTHOR}),
        Act.EXPORT_PACK: frozenset({AUTHOR, REVIEWER, AUDITOR}),
        Act.EXPORT_DATASET: frozenset({AUTHOR}),
        Act.CHANGE_SETTINGS: frozenset({ADMIN}),
    }
)


def allowed(act: Act, roles: Iterable[str]) -> bool:
    """Whether one of `roles` may do `act`."""
    return not ALLOWED[act].isdisjoint(roles)
