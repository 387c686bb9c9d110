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
    RESET_USER = "reset-user"
    CHANGE_ROLES = "change-roles"
    RENEW_CARD = "renew-card"
    CHANGE_PASSPHRASE = "change-passphrase"  # noqa: S105 (an act, not a secret)
    SET_RECOVERY = "set-recovery"
    RECOVER = "recover"
    ROTATE_KEY = "rotate-key"
    SIGN_IN = "sign-in"
    SIGN_IN_FAILED = "sign-in-failed"
    SIGN_OUT = "sign-out"
    REFUSAL = "refusal"
    ADD_MODEL = "add-model"
    REMOVE_MODEL = "remove-model"
    SIGN_MODEL = "sign-model"
    TRUST_KEY = "trust-key"
    DESCRIBE_MODEL = "describe-model"
    MOVE_ALIAS = "move-alias"
    ADD_DOCUMENTS = "add-documents"
    REMOVE_DOCUMENTS = "remove-documents"
    SHOW_DOCUMENT = "show-document"
    ASK = "ask"
    SAVE_ASSISTANT = "save-assistant"
    REMOVE_ASSISTANT = "remove-assistant"
    USE_API = "use-api"
    MAKE_TOKEN = "make-token"  # noqa: S105 (an act, not a secret)
    REVOKE_TOKEN = "revoke-token"  # noqa: S105 (an act, not a secret)
    SAVE_PROMPT = "save-prompt"
    SIGN = "sign"
    APPROVE = "approve"
    LABEL = "label"
    ADD_DATASET = "add-dataset"
    DRAFT_SAMPLE = "draft-sample"
    SAVE_SPEC = "save-spec"
    RUN_EVALUATION = "run-evaluation"
    MARK_OUTCOME = "mark-outcome"
    TRAIN = "train"
    EXPORT_ADAPTER = "export-adapter"
    EXPORT_PACK = "export-pack"
    EXPORT_DATASET = "export-dataset"
    EXPORT_DOCUMENT = "export-document"
    CHANGE_SETTINGS = "change-settings"
    EXPORT_PICTURE = "export-picture"
    EXPORT_TRAIL = "export-trail"
    REVIEW_TRAIL = "review-trail"
    EXPORT_CHECKPOINT = "export-checkpoint"
    WITNESS = "witness"
    BACK_UP = "back-up"
    RESTORE = "restore"
    COMPACT = "compact"
    HOLD = "hold"
    SET_RETENTION = "set-retention"
    ERASE = "erase"
    OPEN_IN_CLEAR = "open-in-clear"


ADMIN, AUTHOR, REVIEWER, AUDITOR = Role

ALLOWED: Mapping[Act, frozenset[Role]] = MappingProxyType(
    {
        Act.CREATE_VAULT: frozenset({ADMIN}),
        Act.ADD_USER: frozenset({ADMIN}),
        Act.REVOKE_USER: frozenset({ADMIN}),
        Act.RESET_USER: frozenset({ADMIN}),
        Act.CHANGE_ROLES: frozenset({ADMIN}),
        Act.RENEW_CARD: frozenset({ADMIN}),
        Act.CHANGE_PASSPHRASE: frozenset(Role),
        Act.SET_RECOVERY: frozenset({ADMIN}),
        Act.RECOVER: frozenset({ADMIN}),
        Act.ROTATE_KEY: frozenset({ADMIN}),
        Act.SIGN_IN: frozenset(Role),
        Act.SIGN_IN_FAILED: frozenset(Role),
        Act.SIGN_OUT: frozenset(Role),
        Act.REFUSAL: frozenset(Role),
        Act.ADD_MODEL: frozenset({ADMIN, AUTHOR}),
        Act.REMOVE_MODEL: frozenset({ADMIN, AUTHOR}),
        Act.SIGN_MODEL: frozenset({AUTHOR, REVIEWER}),
        Act.TRUST_KEY: frozenset({ADMIN}),
        Act.DESCRIBE_MODEL: frozenset({AUTHOR}),
        Act.MOVE_ALIAS: frozenset({AUTHOR, REVIEWER}),
        Act.ADD_DOCUMENTS: frozenset({AUTHOR}),
        Act.REMOVE_DOCUMENTS: frozenset({AUTHOR}),
        Act.SHOW_DOCUMENT: frozenset({AUTHOR, REVIEWER, AUDITOR}),
        Act.ASK: frozenset({AUTHOR, REVIEWER}),
        Act.SAVE_ASSISTANT: frozenset({AUTHOR}),
        Act.REMOVE_ASSISTANT: frozenset({AUTHOR}),
        Act.USE_API: frozenset({AUTHOR, REVIEWER}),
        Act.MAKE_TOKEN: frozenset({AUTHOR, REVIEWER}),
        Act.REVOKE_TOKEN: frozenset({ADMIN, AUTHOR, REVIEWER}),
        Act.SAVE_PROMPT: frozenset({AUTHOR}),
        Act.SIGN: frozenset({AUTHOR, REVIEWER}),
        Act.APPROVE: frozenset({REVIEWER}),
        Act.LABEL: frozenset({AUTHOR, REVIEWER}),
        Act.ADD_DATASET: frozenset({AUTHOR}),
        Act.DRAFT_SAMPLE: frozenset({AUTHOR}),
        Act.SAVE_SPEC: frozenset({AUTHOR}),
        Act.RUN_EVALUATION: frozenset({AUTHOR}),
        Act.MARK_OUTCOME: frozenset({AUTHOR, REVIEWER}),
        Act.TRAIN: frozenset({AUTHOR}),
        Act.EXPORT_ADAPTER: frozenset({AUTHOR}),
        Act.EXPORT_PACK: frozenset({AUTHOR, REVIEWER, AUDITOR}),
        Act.EXPORT_DATASET: frozenset({AUTHOR}),
        Act.EXPORT_DOCUMENT: frozenset({AUTHOR, REVIEWER, AUDITOR}),
        Act.CHANGE_SETTINGS: frozenset({ADMIN}),
        Act.EXPORT_PICTURE: frozenset({AUTHOR, REVIEWER, AUDITOR}),
        Act.EXPORT_TRAIL: frozenset({ADMIN, REVIEWER, AUDITOR}),
        Act.REVIEW_TRAIL: frozenset({REVIEWER, AUDITOR}),
        Act.EXPORT_CHECKPOINT: frozenset(Role),
        Act.WITNESS: frozenset({ADMIN, AUDITOR}),
        Act.BACK_UP: frozenset({ADMIN}),
        Act.RESTORE: frozenset({ADMIN}),
        Act.COMPACT: frozenset({ADMIN}),
        Act.HOLD: frozenset({ADMIN, REVIEWER}),
        Act.SET_RETENTION: frozenset({ADMIN}),
        Act.ERASE: frozenset({ADMIN}),
        Act.OPEN_IN_CLEAR: frozenset({ADMIN}),
    }
)


SAYS: Mapping[Act, str] = MappingProxyType(
    {
        Act.CREATE_VAULT: "Make a vault; whoever does is its first administrator and author.",
        Act.ADD_USER: "Give a person a way in, signing keys and a countersigned card.",
        Act.REVOKE_USER: "Shut a person out, end their card and change the vault key.",
        Act.RESET_USER: "Give a person who lost their passphrase new keys and a new card.",
        Act.CHANGE_ROLES: "Give a person other roles, on a new card.",
        Act.RENEW_CARD: "Give a person a new card when theirs runs out.",
        Act.CHANGE_PASSPHRASE: "Change one's own passphrase.",
        Act.SET_RECOVERY: "Make the recovery words, in place of earlier ones.",
        Act.RECOVER: "Get back in with the recovery words.",
        Act.ROTATE_KEY: "Change the vault key.",
        Act.SIGN_IN: "Open the vault.",
        Act.SIGN_IN_FAILED: "Logged when somebody's passphrase was wrong.",
        Act.SIGN_OUT: "Lock the vault.",
        Act.REFUSAL: "Logged when somebody tried what their roles don't allow.",
        Act.ADD_MODEL: "Register a model file.",
        Act.REMOVE_MODEL: "Take a model file off the list.",
        Act.SIGN_MODEL: "Sign the files of a model or an adapter, and write them for others.",
        Act.TRUST_KEY: "Say whose signatures on model files are trusted.",
        Act.DESCRIBE_MODEL: "Keep a new version of a model's card.",
        Act.MOVE_ALIAS: "Point an alias at a model, or end it.",
        Act.ADD_DOCUMENTS: "Read documents into a collection.",
        Act.REMOVE_DOCUMENTS: "Take a document out of what is searched.",
        Act.SHOW_DOCUMENT: "See a page of a confidential document.",
        Act.ASK: "Ask a collection a question.",
        Act.SAVE_ASSISTANT: "Keep a new version of an assistant.",
        Act.REMOVE_ASSISTANT: "Take an assistant off the list.",
        Act.USE_API: "Have the local API answer a program's calls.",
        Act.MAKE_TOKEN: "Make a token for a program that calls the local API.",
        Act.REVOKE_TOKEN: "End a token: one's own, or as administrator anybody's.",
        Act.SAVE_PROMPT: "Keep a new version of a prompt.",
        Act.SIGN: "Sign as authored one's own work, or as reviewed somebody else's.",
        Act.APPROVE: "Sign as approved what somebody else wrote.",
        Act.LABEL: "Point a label at a version, where the policy's signatures are there.",
        Act.ADD_DATASET: "Keep a new version of a dataset.",
        Act.DRAFT_SAMPLE: "Draft a sample of a dataset, or accept or reject a draft.",
        Act.SAVE_SPEC: "Keep a new version of an evaluation's spec.",
        Act.RUN_EVALUATION: "Run an evaluation.",
        Act.MARK_OUTCOME: "Mark an answer of a run, so that judges can be held against people.",
        Act.TRAIN: "Train an adapter.",
        Act.EXPORT_ADAPTER: "Write an adapter to a folder outside the vault.",
        Act.EXPORT_PACK: "Sign a run as released and write it as a pack.",
        Act.EXPORT_DATASET: "Write a dataset to a file outside the vault.",
        Act.EXPORT_DOCUMENT: "Write an answer with its pages, or documents compared, to a file outside the vault.",
        Act.CHANGE_SETTINGS: "Change the vault's policy, under one's own signature.",
        Act.EXPORT_PICTURE: "Write a picture of compared runs to a file outside the vault.",
        Act.EXPORT_TRAIL: "Write the audit log to a file.",
        Act.REVIEW_TRAIL: "Sign a review of the audit log.",
        Act.EXPORT_CHECKPOINT: "Write the log's signed checkpoint to a file.",
        Act.WITNESS: "Keep what another machine's witness said of the log.",
        Act.BACK_UP: "Write the whole vault to one encrypted file.",
        Act.RESTORE: "Make a vault from a backup.",
        Act.COMPACT: "Give unused space back to the disk.",
        Act.HOLD: "Forbid that something is erased, or end that.",
        Act.SET_RETENTION: "Say how long content is kept.",
        Act.ERASE: "Erase content for good; a signed tombstone stays.",
        Act.OPEN_IN_CLEAR: "Let a file lie in clear where there is no memory-backed storage.",
    }
)
"""One sentence for each act, as the documentation says it."""


def allowed(act: Act, roles: Iterable[str]) -> bool:
    """Whether one of `roles` may do `act`."""
    return not ALLOWED[act].isdisjoint(roles)
