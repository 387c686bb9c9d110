"""Renders the pages of the vault's life offscreen, over a real vault, to be looked at: `python -m tests.unit.app.shots FOLDER [SCENE…]`.

Not part of the product and not a test. `--sizes` renders each scene in all themes, two sizes and a larger scale.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp()

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from app.bridge import keeping
from app.bridge import trail as bridge
from app.bridge.opening import Remembered
from app.bridge.operations import Operations
from app.main_window import MainWindow
from app.pages.all import PAGES
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.signing import Meaning, ToSign
from core.jobs import Job
from core.prompts.records import SignPrompt
from core.vault import holds
from core.vault import retention as core_retention
from core.vault.checkpoints import Rollback
from core.vault.records import Finding
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workbench import ERASABLES, SCHEMA
from tests.conftest import PASSPHRASES, weak_kdf
from tests.unit.app import (
    api_scenes,
    chat_scenes,
    dataset_scenes,
    document_scenes,
    evaluation_scenes,
    evidence_scenes,
    installation_scenes,
    model_scenes,
    playground_scenes,
    training_scenes,
)
from tests.unit.app.benches import Bench
from tests.unit.app.kept import fill

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
    fill(vault)
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


def remembered(window: MainWindow) -> None:
    window.lock_now("")
    wait(window)
    window.page._typed.stop()  # type: ignore[union-attr]
    window.page.opening.know(Remembered("", True))  # type: ignore[union-attr]


def rememberable(window: MainWindow) -> None:
    window.lock_now("")
    wait(window)
    window.page._typed.stop()  # type: ignore[union-attr]
    window.page.opening.know(Remembered("", False))  # type: ignore[union-attr]


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


def retention(view: str) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        window.go("retention", view)
        wait(window)

    return show


def in_400_days(window: MainWindow) -> None:
    """Answers have a rule, and it is later."""
    keeping._now = lambda: datetime.now().astimezone() + timedelta(days=400)
    bench = window.operations.workbench
    with bench.vault.read() as reader:  # type: ignore[union-attr]
        known = core_retention.rules(reader)
    if not known:
        keeping.set_rule(bench, "traces", 365, "Our schedule")  # type: ignore[arg-type]
    window.care_changed()
    wait(window)


def retention_due(window: MainWindow) -> None:
    in_400_days(window)
    retention("rules")(window)


def retention_form(window: MainWindow) -> None:
    retention_due(window)
    page = window.page
    page.rules.buttons["traces"].click()  # type: ignore[union-attr]
    form = window.overlay.panel
    form.days.edit.setText("30")  # type: ignore[union-attr]
    form.days.left.emit()  # type: ignore[union-attr]


def retention_sign(window: MainWindow) -> None:
    retention_due(window)
    window.page.apply.click()  # type: ignore[union-attr]


def retention_trial(window: MainWindow) -> None:
    retention_form(window)
    wait(window)
    window.overlay.panel.show_them.click()  # type: ignore[union-attr]


def held(window: MainWindow) -> None:
    """A hold in force, and one that was released."""
    vault = window.operations.workbench.vault  # type: ignore[union-attr]
    with vault.read() as reader:
        placed = holds.holds(reader)
    if placed:
        return
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        found = keeping.find(window.operations.workbench, "document", "", Job("Find"))  # type: ignore[arg-type]
        for name, things in (("Case 2026-114", found[:2]), ("Audit of June", found[:1])):
            keeping.place_hold(window.operations.workbench, signer, name, "The court asks for it", things)  # type: ignore[arg-type]
        holds.release(vault, ERASABLES, signer, "Audit of June", "The audit is over")


def retention_holds(window: MainWindow) -> None:
    held(window)
    retention("holds")(window)
    window.page.holds.which.segment("all").click()  # type: ignore[union-attr]
    window.page.holds.table.choose(0)  # type: ignore[union-attr]


def retention_place(window: MainWindow) -> None:
    retention("holds")(window)
    window.page.hold.click()  # type: ignore[union-attr]
    wait(window)
    form = window.overlay.panel
    form.name.edit.setText("Case 2026-115")  # type: ignore[union-attr]
    form.picker.take(form.picker.table.rows.all()[:2])  # type: ignore[union-attr]


def retention_release(window: MainWindow) -> None:
    retention_holds(window)
    window.page.holds.table.choose(1)  # type: ignore[union-attr]
    window.page.holds.release.click()  # type: ignore[union-attr]


def retention_choose(window: MainWindow) -> None:
    retention("erase")(window)
    picker = window.page.erasing.picker  # type: ignore[union-attr]
    picker.kind.setCurrentIndex(picker.kind.findData(""))
    picker.text.setText("Maria Novák")
    picker.search()
    wait(window)
    picker.take(picker.table.rows.all()[:2])


def retention_preview(window: MainWindow) -> None:
    retention_choose(window)
    window.page.erasing.quoting.click()  # type: ignore[union-attr]
    window.page.erasing.preview.click()  # type: ignore[union-attr]


def retention_held(window: MainWindow) -> None:
    held(window)
    retention("erase")(window)
    picker = window.page.erasing.picker  # type: ignore[union-attr]
    picker.take(picker.table.rows.all())
    window.page.erasing.preview.click()  # type: ignore[union-attr]


def retention_erase(window: MainWindow) -> None:
    retention_preview(window)
    wait(window)
    window.page.erasing.erase.click()  # type: ignore[union-attr]


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
    "retention-none": retention("rules"),
    "retention-due": retention_due,
    "retention-form": retention_form,
    "retention-trial": retention_trial,
    "retention-sign": retention_sign,
    "retention-no-holds": retention("holds"),
    "retention-place": retention_place,
    "retention-choose": retention_choose,
    "retention-preview": retention_preview,
    "retention-erase": retention_erase,
    "retention-holds": retention_holds,
    "retention-release": retention_release,
    "retention-held": retention_held,
    **{f"page-{name}": page(name) for name in PAGES if name != "unlock"},
    "vault": vault_page,
    "vault-findings": vault_findings,
    "vault-busy": vault_busy,
    "policy": policy,
    "restoring": restoring,
    "remembered": remembered,
    "rememberable": rememberable,
    "recovering": recovering,
    "signing": signing,
    **evidence_scenes.SCENES,
    **model_scenes.SCENES,
    **installation_scenes.SCENES,
    **api_scenes.SCENES,
    **dataset_scenes.SCENES,
    **chat_scenes.SCENES,
    **document_scenes.SCENES,
    **playground_scenes.SCENES,
    **training_scenes.SCENES,
    **evaluation_scenes.SCENES,
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
