"""What the models page does with signatures on model files: keys are trusted, files are signed, exported and verified."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from app.bridge import model_keys as bridge
from app.bridge.model_keys import Hashed, Verified
from app.bridge.operations import Failure
from app.pages.model_keys import SignedPanel, TrustForm, VerifyForm
from app.pages.removal import Removal
from app.pages.signatures import SAYS, WORDS, ask_and_sign
from app.widgets.signing import Meaning, Signed, ToSign
from core.models.records import ModelFile, ModelKey, SignedFile, SignedModel
from core.paths import write_whole
from core.trust.cards import grouped
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from app.pages.models import ModelsPage
    from core.jobs import Job
    from core.vault.signing import Signer
    from core.workbench import Workbench

TRUSTS_NOT = "Your roles here don’t allow trusting keys; an administrator may."
SIGNS_NOT = "Your roles here don’t allow signing model files; an author or reviewer may."
RELEASED = Meaning("released", WORDS["released"], SAYS["released"])


class ModelSigning:
    """The page's acts with keys and signatures."""

    def __init__(self, page: "ModelsPage") -> None:
        self._page = page
        view = page.keys
        view.trust.connect(self.trust)
        view.distrust.connect(self.distrust)
        view.verify.connect(self.verify)
        view.sign_file.connect(self._choose_file)
        view.sign_folder.connect(self._choose_folder)
        page.detail.export.connect(self._choose_place)

    def look(self) -> None:
        """Show the keys that are trusted now, and what this person may do."""
        page = self._page
        roles = page.acts.roles()
        trusts = "" if allowed(Act.TRUST_KEY, roles) else TRUSTS_NOT
        signs = "" if allowed(Act.SIGN_MODEL, roles) else SIGNS_NOT
        page.keys.file_button.refuse(signs)
        page.keys.folder_button.refuse(signs)

        def show(found: tuple[ModelKey, ...]) -> None:
            page.keys.show_keys(found, trusts)

        page.operations.run("Read the trusted keys", bridge.keys, show, page.fail)

    def allow(self, model: ModelFile) -> None:
        """Whether the shown model may be exported."""
        signs = allowed(Act.SIGN_MODEL, self._page.acts.roles())
        self._page.detail.export_button.refuse("" if signs else SIGNS_NOT)

    # keys

    def trust(self) -> None:
        """Ask which key is trusted."""
        page = self._page
        form = TrustForm(Act.TRUST_KEY.value in page.rules.reasons)
        form.cancelled.connect(page.shell.close_overlay)

        def done(key: ModelKey) -> None:
            page.shell.close_overlay()
            page.tell(f"{key.name} is trusted", [("Key (SHA-256)", grouped(key.fingerprint))], [COMPARE])
            self.look()

        def go() -> None:
            request = form.request()
            form.wait("It is being read.")
            page.operations.run(
                "Trust a key",
                lambda bench, job: bench.signatures.trust(request),
                done,
                lambda found: form.refuse(found.sentence),
            )

        form.acted.connect(go)
        page.shell.open_dialog(form, 520)

    def distrust(self, name: str) -> None:
        """Ask whether a key shall be trusted no more."""
        page = self._page
        says = f"Signatures by {name} don’t count from then on. What it verified stays as it was recorded."
        panel = Removal("Trust no more", says, Act.TRUST_KEY.value in page.rules.reasons)
        panel.keep.clicked.connect(page.shell.close_overlay)

        def go() -> None:
            if not panel.good():
                return
            reason = panel.reason.text.strip()
            page.shell.close_overlay()

            def done(_: None) -> None:
                page.shell.toast(f"{name} is trusted no more.")
                self.look()

            page.operations.run(
                "Trust a key no more", lambda bench, job: bench.signatures.distrust(name, reason), done, page.fail
            )

        panel.remove.clicked.connect(go)
        page.shell.open_dialog(panel, 440)

    # verifying

    def verify(self) -> None:
        """Ask which file is verified, and by whose key."""
        page = self._page
        form = VerifyForm()
        form.cancelled.connect(page.shell.close_overlay)

        def go() -> None:
            path, key = form.request()
            page.shell.close_overlay()

            def done(found: Verified) -> None:
                files = f"{found.found.files:,} file{'s' if found.found.files > 1 else ''}, as signed"
                facts = [
                    ("Signed by", found.by),
                    ("Key (SHA-256)", grouped(found.found.fingerprint)),
                    ("Signed as", found.found.model or "without a name"),
                    ("Compared", files),
                ]
                page.tell("The signature is valid", facts)

            page.begin(f"Verifying {Path(path).name}", lambda bench, job: bridge.verify(bench, job, path, key), done)

        form.acted.connect(go)
        page.shell.open_dialog(form, 560)

    # signing

    def sign(self, path: str) -> None:
        """Read a file or folder, show what would be signed, and sign it."""
        page = self._page

        def read(what: Hashed) -> None:
            name = Path(what.path).name

            def work(bench: "Workbench", job: "Job", signer: "Signer", entered: Signed) -> SignedModel:
                return bridge.sign(bench, job, what, entered.reason, signer)

            ask_and_sign(page.shell, self._to_sign(name, what, "Its signature is written beside it."), work, self._show)

        page.begin(f"Reading {Path(path).name}", lambda bench, job: bridge.hashed(bench, job, path), read)

    def export(self, model: ModelFile, parent: str) -> None:
        """Sign a registered model and copy its files into a new folder."""
        folder = str(Path(parent) / model.name)
        names = [Path(path).name for path in model.files]
        digests = [part.digest for part in model.parts] or [model.digest]
        files = tuple(SignedFile(name=name, digest=digest) for name, digest in zip(names, digests, strict=True))

        def work(bench: "Workbench", job: "Job", signer: "Signer", entered: Signed) -> SignedModel:
            return bridge.export(bench, job, model.name, folder, entered.reason, signer)

        after = f"The files are copied into {folder}, with the signature."
        ask_and_sign(
            self._page.shell, self._to_sign(model.name, Hashed(model.path, files), after), work, self._show, shown=True
        )

    def _to_sign(self, name: str, what: Hashed, after: str) -> ToSign:
        person = self._page.acts.person()
        return ToSign(
            title=f"Sign the files of {name}",
            text=what.text,
            digest="",
            meanings=(RELEASED,),
            user=person.user,
            printed=f"{person.name}, {', '.join(person.roles)}",
            after=after,
            note="Others verify it with your public key for model files.",
        )

    def _show(self, signed: SignedModel) -> None:
        shell = self._page.shell
        panel = SignedPanel(signed)
        panel.close_button.clicked.connect(shell.close_overlay)
        panel.save.connect(lambda: self._save_key(signed))
        shell.open_dialog(panel, 620)

    def _save_key(self, signed: SignedModel) -> None:
        person = self._page.acts.person()
        path, _ = QFileDialog.getSaveFileName(
            self._page, "Save your key for model files", f"{person.user}.pem", "Keys (*.pem)"
        )
        if not path:
            return

        def failed(found: Failure) -> None:
            self._page.shell.close_overlay()
            self._page.fail(found)

        self._page.operations.run(
            "Save a key",
            lambda bench, job: write_whole(Path(path), signed.key.encode(), private=False),
            lambda _: self._page.shell.toast(f"{Path(path).name} is written"),
            failed,
        )

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self._page, "Sign a model’s file")
        if path:
            self.sign(path)

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self._page, "Sign a folder")
        if path:
            self.sign(path)

    def _choose_place(self) -> None:
        model = self._page.detail.model
        if model is None:
            return
        parent = QFileDialog.getExistingDirectory(self._page, "Where the signed copy goes")
        if parent:
            self.export(model, parent)


COMPARE = "Compare it with the signer now, by another way than the one that the file came by, where you haven’t yet."
