"""Renders the pages of the vault's life offscreen, over a real vault, to be looked at: `python -m tests.unit.app.shots FOLDER [SCENE…]`.

Not part of the product and not a test. `--sizes` renders each scene in all themes, two sizes and a larger scale.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp()

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from app.bridge import trail as bridge
from app.bridge.operations import Operations
from app.main_window import MainWindow
from app.pages.all import PAGES
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.signing import Meaning, ToSign
from core.prompts.records import SignPrompt
from core.vault.checkpoints import Rollback
from core.vault.records import Finding
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES, weak_kdf
from tests.unit.app.benches import Bench
from tests.unit.app.test_evidence_page import SCHEMA

LOOKS = (("light", 1.0, (1280, 800)),)
ALL = (
    ("light", 1.0, (1280, 800)),
    ("dark", 1.0, (1280, 800)),
    ("contrast", 1.0, (1280, 800)),
    ("light", 1.0, (1024, 700)),
    ("dark", 1.5, (1280, 800)),
    ("light", 1.5, (1024, 700)),
)
WORDS = "abandon ability able about above absent absorb abstract absurd abuse access accident account accuse achieve acid".split()


def make_vault(folder: Path) -> Vault:
    """A vault with four people and some history."""
    vault = Vault.create(folder, "ines", "Inês Duarte", PASSPHRASES["ines"], SCHEMA, kdf=weak_kdf)
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        for user, name, roles in (
            ("tomas", "Tomás Vidal", ("reviewer",)),
            ("m.vass", "Marguerite Vass", ("auditor",)),
            ("pavel.roe", "Pavel Roe-Lindqvist of the long name", ("author", "reviewer")),
        ):
            vault.add_user(signer, user, name, roles, "a quiet ladder in october", kdf=weak_kdf)
    prompts = Bench(vault)
    prompts.with_prompts()
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        prompts.prompts.sign(SignPrompt(reference="cite-answers@2", meaning="authored", reason="Finished"), signer)
    for number in range(260):
        vault.record(
            Act.SHOW_DOCUMENT if number % 7 else Act.REFUSAL,
            about=f"SOP-PV-{number:03} Case intake and reporting.pdf, page {number % 9}",
        )
    return vault


def wait(window: MainWindow) -> None:
    """Until nothing runs and everything is laid out."""
    for _ in range(400):
        QCoreApplication.processEvents()
        if window.operations.running() == 0:
            break
        import time

        time.sleep(0.01)
    for _ in range(6):
        QCoreApplication.processEvents()


def page(name: str) -> Callable[[MainWindow], None]:
    return lambda window: window.go(name)


def people_dialog(button: str, fill: Callable[[ActForm], None] = lambda form: None) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        window.go("people")
        wait(window)
        window.page.table.choose(1 if button in ("reset", "revoke", "roles", "renew") else 0)  # type: ignore[union-attr]
        getattr(window.page, button).click()
        wait(window)
        if isinstance(window.overlay.panel, ActForm):
            fill(window.overlay.panel)

    return show


def filled_add(form: ActForm) -> None:
    form.user.edit.setText("oda")  # type: ignore[attr-defined]
    form.person.edit.setText("Oda Brandt")  # type: ignore[attr-defined]
    form.new.first.edit.setText("oda likes the sea")  # type: ignore[attr-defined]
    form.act.click()


def words(window: MainWindow) -> None:
    window.go("people")
    wait(window)
    window.page._show_words(tuple(WORDS))  # type: ignore[union-attr]


def words_asked(window: MainWindow) -> None:
    words(window)
    panel = window.overlay.panel
    panel.written.click()  # type: ignore[union-attr]
    panel.next.click()  # type: ignore[union-attr]
    panel.answers[0].edit.setText("wrong")  # type: ignore[union-attr]
    panel.done.click()  # type: ignore[union-attr]


def roles(window: MainWindow) -> None:
    window.go("people")
    wait(window)
    window.page.view.segment("roles").click()  # type: ignore[union-attr]


def spoken(window: MainWindow) -> None:
    window.go("people")
    wait(window)
    window.page.table.choose(3)  # type: ignore[union-attr]
    window.page.card.read.click()  # type: ignore[union-attr]


def locked(window: MainWindow) -> None:
    window.go("prompts")
    wait(window)
    window.page.write_new()  # type: ignore[union-attr]
    window.page.editor.name.edit.setText("draft")  # type: ignore[union-attr]
    window.lock_now("The vault was locked after 15 minutes without a key or the mouse.")


def warned(window: MainWindow) -> None:
    window.go("people")
    wait(window)
    window.locking.idle.warned.emit(27)


def lock_form(window: MainWindow) -> None:
    from app.locking import LockForm

    window.go("people")
    wait(window)
    window.open_dialog(LockForm(("Safety answers, run 18",)), 520)


def audit(window: MainWindow) -> None:
    window.go("audit")
    wait(window)
    window.page.table.choose(2)  # type: ignore[union-attr]


def audit_filtered(window: MainWindow) -> None:
    window.go("audit")
    wait(window)
    filters = window.page.filter  # type: ignore[union-attr]
    filters.text.setText("case")
    filters.act.setCurrentIndex(filters.act.findData("refusal"))
    filters.period.setCurrentIndex(5)
    filters._turn()
    wait(window)


def audit_form(button: str) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        window.go("audit")
        wait(window)
        act = getattr(window.page, button)
        act.refuse("")
        act.click()

    return show


def audit_review(window: MainWindow) -> None:
    window.go("audit")
    wait(window)
    window.operations.run("x", lambda bench, job: bridge.to_review(bench, 0, 40), window.page._sign_review)  # type: ignore[union-attr]


def rolled_back(window: MainWindow) -> None:
    window.go("audit")
    wait(window)
    window.operations.workbench.vault.rollback = Rollback(seen=900, seen_root="ab" * 32, found=270, found_root="")  # type: ignore[union-attr]
    window.care_changed()


def vault_page(window: MainWindow) -> None:
    window.go("vault")


def vault_findings(window: MainWindow) -> None:
    window.go("vault")
    wait(window)
    window.page._checked(  # type: ignore[union-attr]
        (
            Finding(
                where="log entry 12",
                what="differs from its leaf in the tree.",
                step="Restore the vault from its last good backup.",
            ),
            Finding(
                where="signature 5f0c91d27be4a31e5f0c91d27be4a31e5f0c91d27be4a31e5f0c91d27be4a31e",
                what="an earlier signature that it covers is missing.",
                step="Don't rely on it; have the content signed again.",
            ),
        )
    )


def vault_busy(window: MainWindow) -> None:
    window.go("vault")
    wait(window)
    page = window.page
    page._working.show()  # type: ignore[union-attr]
    page.work.begin("Backing up", "Everybody can go on working")  # type: ignore[union-attr]
    page.work.say(1200, 5000, "pages")  # type: ignore[union-attr]
    window.reminder.say(
        "The last backup is 12 days old.",
        "If this disk fails, what was done since is lost: 270 entries of the log.",
        "Back up now…",
    )


def policy(window: MainWindow) -> None:
    window.go("vault")
    wait(window)
    window.page.change.click()  # type: ignore[union-attr]


def restoring(window: MainWindow) -> None:
    window.lock_now("")
    window.page.ways.choose("restore")  # type: ignore[union-attr]
    window.page._choose("restore")  # type: ignore[union-attr]


def recovering(window: MainWindow) -> None:
    window.lock_now("")
    window.page.opening.lost.click()  # type: ignore[union-attr]


def signing(window: MainWindow) -> None:
    window.go("prompts")
    wait(window)
    text = "Use only the passages.\u200b\nThe invoice is payed by P\u0430ypal \u202eto the desk.\nAnswer in at most four sentences.  \n"
    meanings = (
        Meaning("reviewed", "Reviewed", "I read it"),
        Meaning(
            "approved",
            "Approved",
            "It may be used",
            "You wrote this version, so someone else must review and approve it.",
        ),
    )
    panel = window.ask_signature(
        ToSign(
            "Sign cite-answers, version 2", text, "5f0c91d2" * 8, meanings, "ines", "Inês Duarte, author", first=False
        ),
        lambda *_: None,
    )
    panel.refuse("The user name or the passphrase is wrong. Nothing was signed.", first=True)


SCENES: dict[str, Callable[[MainWindow], None]] = {
    "people": page("people"),
    "people-spoken": spoken,
    "people-add": people_dialog("add", filled_add),
    "people-revoke": people_dialog("revoke"),
    "people-reset": people_dialog("reset"),
    "people-roles": people_dialog("roles"),
    "people-renew": people_dialog("renew"),
    "people-passphrase": people_dialog("passphrase"),
    "recovery-words": words,
    "recovery-asked": words_asked,
    "roles": roles,
    "lock-warned": warned,
    "lock-form": lock_form,
    "locked": locked,
    "audit": audit,
    "audit-filtered": audit_filtered,
    "audit-export": audit_form("export"),
    "audit-review-range": audit_form("review"),
    "audit-review": audit_review,
    "audit-rolled-back": rolled_back,
    "vault": vault_page,
    "vault-findings": vault_findings,
    "vault-busy": vault_busy,
    "policy": policy,
    "restoring": restoring,
    "recovering": recovering,
    "signing": signing,
}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in sys.argv[2:] if not name.startswith("--")] or list(SCENES)
    app = QApplication([])
    made = make_vault(Path(tempfile.mkdtemp()) / "Drug safety.assay")
    made.close()
    for theme, scale, size in ALL if "--sizes" in sys.argv else LOOKS:
        look().apply(theme, scale, reduced_motion=True)
        for name in wanted:
            vault = Vault.open(made.folder, "ines", PASSPHRASES["ines"], SCHEMA)
            bench = Bench(vault)
            window = MainWindow(Operations(), PAGES, ("namespace", "seccomp"))
            window.resize(*size)
            window.show()
            window.enter(bench)
            wait(window)
            SCENES[name](window)
            wait(window)
            window.grab().save(str(folder / f"{name}-{theme}-{size[0]}-{scale:g}.png"))
            if window.width() != size[0] or window.height() != size[1]:
                print(name, theme, scale, size, "grew to", window.width(), window.height())
            window.close()
            vault.close()
            window.deleteLater()
            app.processEvents()


if __name__ == "__main__":
    main()
