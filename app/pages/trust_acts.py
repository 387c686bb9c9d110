"""What is done with trust files: one chosen, cards compared, added and removed, the changed file saved, one's own exported, and keys made."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.bridge.operations import Failure
from app.pages import trust_files
from app.pages.pack_words import CheckedPack, to_compare
from app.pages.page import Shell
from app.pages.sealed_packs import MakeKeysForm, public_of, write_keys
from app.pages.trust_cards import AddCardForm, CompareForm, RemoveForm
from app.pages.trust_files import KnownTrust
from app.widgets.act_form import ActForm
from core.jobs import Job
from core.records import Digest
from core.trust.cards import SignedCard, fingerprint, grouped, open_card
from core.trust.passphrases import Kdf, calibrated

KINDS = "Trust files (*.json *.trust);;All files (*)"


class TrustActs:
    """`now` gives the trust file in use; `use` is given another one. `fail` is told what went wrong."""

    def __init__(
        self,
        shell: Shell,
        parent: QWidget,
        now: Callable[[], KnownTrust | None],
        use: Callable[[KnownTrust], None],
        fail: Callable[[Failure], None],
    ) -> None:
        self._shell, self._parent, self._now, self._use, self._fail = shell, parent, now, use, fail
        self.kdf: Callable[[], Kdf] = calibrated
        """How the passphrase of new keys is stretched."""

    def add(self) -> None:
        """Ask for a card, and add it once it was compared."""
        path, _ = QFileDialog.getOpenFileName(self._parent, "Add a card", "", "Cards (*.json);;All files (*)")
        if path:
            self.add_from(path)

    def add_from(self, path: str) -> None:
        """Add the card that lies at `path`, once it was compared."""
        self._shell.operations.run_alone(
            "Read a card",
            lambda job: trust_files.read_card(Path(path), job),
            lambda signed: self._ask_add((signed,), f"the file {Path(path).name}"),
            self._fail,
        )

    def compare_signers(self, checked: CheckedPack) -> None:
        """Compare the cards that a pack brings along and the trust file doesn't have, one after the other; each may be added."""
        self._shell.operations.run_alone(
            "Read the cards of a pack",
            lambda job: trust_files.cards_of(checked, to_compare(checked), job),
            lambda cards: self._ask_add(cards, "the pack itself"),
            self._fail,
        )

    def compare(self, card: Digest) -> None:
        """Compare the fingerprint of a card in the file."""
        trust = self._now()
        found = dict(trust.cards).get(card) if trust is not None else None
        if found is None:
            return
        form = CompareForm(card, found)
        form.acted.connect(self._shell.close_overlay)
        self._open(form)

    def remove(self, card: Digest) -> None:
        """Take a card out, once that was confirmed."""
        trust = self._now()
        found = dict(trust.cards).get(card) if trust is not None else None
        if trust is None or found is None:
            return
        form = RemoveForm(found, trust.name)

        def removed() -> None:
            self._shell.close_overlay()
            self._use(trust_files.without(trust, card))

        form.acted.connect(removed)
        self._open(form)

    def save(self) -> None:
        """Ask where the changed file shall be written, and write it."""
        trust = self._now()
        if trust is None:
            return
        name = trust.name if trust.name.endswith((".json", ".trust")) else "trust.json"
        path, _ = QFileDialog.getSaveFileName(self._parent, "Save the trust file", name, KINDS)
        if not path:
            return
        out = Path(path if Path(path).suffix else f"{path}.json")

        def done(saved: KnownTrust) -> None:
            self._use(saved)
            self._shell.toast(f"Wrote {out.name} with {len(saved.cards)} cards.")

        self._shell.operations.run_alone(
            "Save the trust file", lambda job: trust_files.save(trust, out, job), done, self._fail
        )

    def export(self) -> None:
        """Ask where this vault's trust file shall be written, and write it."""
        path, _ = QFileDialog.getSaveFileName(self._parent, "Export the trust file", "trust.json", KINDS)
        if not path:
            return
        out = Path(path if Path(path).suffix else f"{path}.json")
        self._shell.operations.run(
            "Export the trust file",
            lambda bench, job: trust_files.export_own(bench, out, job),
            lambda count: self._shell.toast(f"Wrote {out.name} with {count} cards."),
            self._fail,
        )

    def export_card(self) -> None:
        """Ask where one's own card shall be written, and write it."""
        workbench = self._shell.operations.workbench
        if workbench is None:
            return
        name = f"{workbench.vault.user.user}.card.json"
        path, _ = QFileDialog.getSaveFileName(self._parent, "Export your card", name, "Cards (*.json)")
        if path:
            self._shell.operations.run(
                "Export a card",
                lambda bench, job: trust_files.export_card(bench, Path(path), job),
                lambda _: self._shell.toast(f"Wrote {Path(path).name}."),
                self._fail,
            )

    def make_keys(self) -> None:
        """Make a pair of keys to which packs can be sealed."""
        form = MakeKeysForm()

        def making() -> None:
            path, _ = QFileDialog.getSaveFileName(self._parent, "Keep your keys", "my.keys", "Keys (*.keys)")
            if not path:
                return
            name, passphrase = form.person.text.strip(), form.take_secrets()[0]
            form.wait("Making the keys")
            kdf = self.kdf

            def work(job: Job) -> str:
                return grouped(write_keys(name, passphrase, Path(path), kdf).fingerprint)

            def done(words: str) -> None:
                self._shell.close_overlay()
                self._open(_made(Path(path), words, self._shell))

            self._shell.operations.run_alone("Make keys", work, done, lambda found: form.refuse(found.sentence))

        form.acted.connect(making)
        self._open(form)

    def _ask_add(self, cards: Sequence[SignedCard], source: str) -> None:
        if not cards:
            return
        signed, rest = cards[0], cards[1:]
        card = open_card(signed)
        form = AddCardForm(fingerprint(signed), card, source)

        def added() -> None:
            trust = self._now() or trust_files.empty()
            try:
                changed = trust_files.with_card(trust, signed)
            except Exception as error:  # noqa: BLE001 (the core's sentence is shown; the file stays as it was)
                form.refuse(str(error))
                return
            self._shell.close_overlay()
            self._use(changed)
            self._shell.toast(f"Added {card.name}’s card. Save the trust file to keep it.")
            if rest:
                self._ask_add(rest, source)

        form.acted.connect(added)
        self._open(form)

    def _open(self, form: ActForm) -> None:
        form.cancelled.connect(self._shell.close_overlay)
        self._shell.open_dialog(form)


def _made(private: Path, words: str, shell: Shell) -> ActForm:
    form = ActForm(
        "Done",
        title="Your keys are made",
        consequences=(
            f"{private.name} stays with you. Without it and its passphrase, nobody opens what is sealed to you.",
            f"{public_of(private).name} goes to whoever makes packs for you.",
            f"Read them this fingerprint, so that they know the key is yours: {words}",
        ),
    )
    form.cancel.hide()
    form.acted.connect(shell.close_overlay)
    return form
