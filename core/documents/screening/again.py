"""What was redacted in a document is redacted again when its file is read again, whatever the policy says by now."""

from collections.abc import Mapping

from core.documents.screening import store
from core.documents.screening.finding import findings
from core.documents.screening.named import with_names
from core.documents.screening.records import NEAR_DUPLICATE, ScreeningDecision
from core.documents.screening.redacting import redacted
from core.documents.worker.records import Parsed
from core.errors import BadInput
from core.records import Digest
from core.vault.vault import Vault

Keys = frozenset[tuple[str, str]]


class Redactions:
    """What was redacted in the documents of a collection, by the bytes of their files."""

    def __init__(self, vault: Vault, collection: str) -> None:
        decided: dict[Digest, dict[tuple[str, str], str]] = {}
        self._names: dict[Digest, set[str]] = {}
        with vault.read() as reader:
            for digest in reader.find(ScreeningDecision):
                one = reader.get(digest, ScreeningDecision)
                if one.collection == collection:
                    actions = decided.setdefault(one.content, {})
                    actions.update({(kind, key): one.action for kind, key, _ in one.findings})
                    self._names.setdefault(one.content, set()).add(one.document)
            self.screened = store.known(reader) and store.policy(reader, collection).mode != "off"
            self._salt = store.salt(reader, collection) if decided else b""
        self._keys: Mapping[Digest, Keys] = {
            content: frozenset(key for key, action in actions.items() if action == "redact")
            for content, actions in decided.items()
        }

    def apply(self, name: str, content: Digest, parsed: Parsed) -> Parsed:
        """The document as it was let in. Raises `BadInput` where something that was redacted can't be told in it any more."""
        keys = frozenset(key for key in self._keys.get(content, frozenset()) if key[0] != NEAR_DUPLICATE)
        if not keys:
            return parsed
        parsed = with_names(
            parsed, sorted(self._names[content])
        )  # a name that was decided about, whatever it is by now
        again = [one for one in findings(parsed, {kind for kind, _ in keys}, self._salt) if (one.kind, one.key) in keys]
        if {(one.kind, one.key) for one in again} != keys:
            raise BadInput(
                source=name,
                problem="something was redacted in it that isn't recognised any more. Add its file again, and decide again.",
            )
        return redacted(parsed, again)
