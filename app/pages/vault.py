"""The vault itself: its backups, its check, its policy, its space, and where what is opened in clear lies."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFileDialog, QWidget

from app.bridge import care as bridge
from app.bridge.care import Care
from app.bridge.opening import shown_name, size
from app.bridge.operations import Failure, Handle
from app.pages.page import Page, Shell, scrolled
from app.pages.policy_form import PolicyForm, facts
from app.pages.signatures import moment
from app.theme.look import look
from app.widgets.basic import Card, IconLabel, clear, column, label, line, row
from app.widgets.buttons import button
from app.widgets.long_work import LongWork
from core.errors import WrongPassphrase
from core.vault.events import Changed
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from core.vault.policies import Policy
    from core.vault.records import Finding

SHOWN_FINDINGS = 50
NARROW = 820
"""Pixels at scale 1.0 under which the cards lie below each other."""
ONLY_ADMIN = "Only an administrator may do this."
AGAIN = frozenset({Act.BACK_UP, Act.RESTORE, Act.CHANGE_SETTINGS, Act.COMPACT})


class VaultPage(Page):
    """The page. `show_about` takes "back-up" to ask where a backup shall lie."""

    title = "Vault"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._work: Handle | None = None
        self._care: Care | None = None
        self.back_up = button("Back up now…", "save", "primary")
        self.back_up.clicked.connect(self._ask_backup)
        self.lock = button("Lock vault", "lock", hint="Ctrl L")
        self.lock.clicked.connect(self.shell.lock)
        self.bar.act(self.lock, self.back_up)

        self.work = LongWork()
        self._working = Card()
        self._working.body.addWidget(self.work)
        self._working.hide()
        self.work.cancelled.connect(self._stop)

        self.backups = Card("Backups")
        self._backups = _facts(self.backups)
        self.backups.body.addWidget(
            label(
                "One encrypted file, made while everybody works. It opens with the passphrases of that day. Keep it on another disk.",
                type="small",
                tone="secondary",
                wrap=True,
            )
        )
        self.health = Card("Check", "Reads everything: encryption, digests, signatures, the log and what leads where.")
        self.check = button("Check the vault", "health")
        self.check.clicked.connect(self._check)
        self._verdict = row(space=8)
        self._findings = column(space=8)
        self.health.body.addLayout(self._verdict)
        self.health.body.addLayout(self._findings)
        self.health.body.addLayout(row(self.check, None))

        self.policy = Card("Policy", "What the vault asks of its people. Each change is signed.")
        self._policy = _facts(self.policy)
        self.change = button("Change policy…", "stamp")
        self.change.clicked.connect(self._ask_policy)
        self.policy.body.addLayout(row(self.change, None))

        self.place = Card("On this machine")
        self._place = _facts(self.place)
        self.compact = button("Compact", "disk")
        self.compact.setToolTip("Gives the space of what was erased back to the disk")
        self.compact.clicked.connect(self._compact)
        self.place.body.addLayout(row(self.compact, None))

        self.proof = Card(
            "Proof of the log", "A note of how the log stood shows later that nothing was taken out or rewritten."
        )
        self._proof = _facts(self.proof)
        self.witness = button("Checkpoints and witnesses", "log")
        self.witness.clicked.connect(lambda: self.shell.go("audit"))
        self.proof.body.addLayout(row(self.witness, None))

        left = column(self._working, self.backups, self.health, self.proof, None, space=16)
        right = column(self.policy, self.place, None, space=16)
        inside = QWidget()
        self._columns = row(space=16, margins=(24, 20, 24, 24))
        self._columns.addLayout(left, 1)
        self._columns.addLayout(right, 1)
        inside.setLayout(self._columns)
        inside.setMaximumWidth(look().px(1160))
        holder = QWidget()
        across = row(space=0)
        across.addWidget(inside, 1)
        holder.setLayout(across)
        self.body.addWidget(scrolled(holder))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < look().px(NARROW)
        ways = QBoxLayout.Direction
        self._columns.setDirection(ways.TopToBottom if narrow else ways.LeftToRight)

    # what the window asks

    def opened(self) -> None:
        self.operations.run("Look at the vault", lambda bench, job: bridge.care(bench), self._show, self.fail)

    def show_about(self, about: object) -> None:
        if about == "back-up":
            self._ask_backup()

    def changed(self, event: object) -> None:
        if isinstance(event, Changed) and event.act in AGAIN and self.isVisible():
            self.opened()

    def start(self) -> QWidget:
        return self.back_up if self.back_up.isEnabled() else self.check

    # showing

    def _show(self, found: Care) -> None:
        self._care = found
        last = found.backups
        self._fill(
            self._backups,
            [
                ("Last backup", moment(last.made) if last.made else "None yet"),
                ("Since then", f"{last.newer:,} entries of the log" if last.newer else "Nothing"),
                ("Reminder", f"after {found.policy.backup_days} days" if found.policy.backup_days else "never"),
            ],
            {"Last backup": "warn" if last.overdue else ""},
        )
        version = (
            f"{found.policy_version}, by {found.policy_author}"
            if found.policy_author
            else "Nobody changed the defaults"
        )
        self._fill(self._policy, [*facts(found.policy), ("Version", version)])
        hears = getattr(getattr(self.shell, "locking", None), "system", None)
        heard = getattr(hears, "hears", ())
        sleep = "before this machine sleeps" if "sleep" in heard else "when this machine wakes from sleep"
        locks = f"Locks {sleep}" + (", and with your session" if "session" in heard else "")
        index = (
            "In memory while open, sealed in the vault’s cache"
            if found.memory
            else "Not kept: this system has no storage in memory, so all vectors are compared"
        )
        barred = self.shell.barrier_names()
        self._fill(
            self._place,
            [
                ("Name", shown_name(found.folder)),
                ("Folder", str(found.folder)),
                ("Size", size(found.size) + (f", and {size(found.cache)} of cache" if found.cache else "")),
                ("Log", f"{found.entries:,} entries"),
                ("Search index", index),
                ("Locking", locks),
                (
                    "Network",
                    f"Barred, by {', '.join(barred)}" if barred else "Not barred: this system has no barrier for it",
                ),
            ],
            {"Network": "" if barred else "warn"},
        )
        self._fill(self._proof, proofs(found), {"Kept here": "warn" if not found.seen else ""})
        self._allow(found)

    def _fill(self, into, said: list[tuple[str, str]], tones: dict[str, str] | None = None) -> None:
        clear(into)
        for at, (what, value) in enumerate(said):
            if at:
                into.addWidget(line())
            name = label(what, tone="secondary")
            name.setFixedWidth(look().px(118))
            tone = (tones or {}).get(what, "") or "primary"
            made = row(name, space=8)
            made.addWidget(label(value, tone=tone, wrap=True), 1)
            into.addLayout(made)

    def _allow(self, found: Care) -> None:
        for act, what in ((self.back_up, Act.BACK_UP), (self.change, Act.CHANGE_SETTINGS), (self.compact, Act.COMPACT)):
            act.refuse("" if self._may(what) else ONLY_ADMIN)
        if not found.can_compact:
            self.compact.hide()

    def _may(self, act: Act) -> bool:
        workbench = self.operations.workbench
        return workbench is not None and allowed(act, workbench.vault.user.roles)

    # work that takes a while

    def _begin(self, handle: Handle, title: str, note: str) -> None:
        self._work = handle
        self.work.begin(title, note)
        self._working.show()
        handle.progress.connect(lambda progress: self.work.say(progress.done, progress.total, progress.unit))
        handle.ended.connect(self._ended)
        for act in (self.back_up, self.check, self.compact):
            act.refuse("Something else is under way.")

    def _ended(self) -> None:
        self._work = None
        self._working.hide()
        self.check.refuse("")
        if self._care is not None:
            self._allow(self._care)

    def _stop(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def _ask_backup(self) -> None:
        if not self._may(Act.BACK_UP) or self._work is not None:
            return
        name = f"{shown_name(self.operations.workbench.vault.folder)} {datetime.now():%Y-%m-%d %H%M}.assay-backup"  # type: ignore[union-attr]
        path, _ = QFileDialog.getSaveFileName(self, "Back up the vault", name, "Backups (*.assay-backup)")
        if path:
            self.write_backup(Path(path if Path(path).suffix else f"{path}.assay-backup"))

    def write_backup(self, path: Path) -> None:
        """Write a backup to `path`, which mustn't be there yet."""
        self.banner.hide()

        def done(_: str) -> None:
            self.shell.toast(f"{path.name} holds the vault as it was when the backup began")
            self.shell.care_changed()

        handle = self.operations.run(
            "Back up the vault",
            lambda bench, job: bridge.back_up(bench, path, job),
            done,
            self.fail,
            lambda: self.shell.toast("The backup was stopped; no part of it is left"),
            shown=True,
        )
        self._begin(handle, "Backing up", "Everybody can go on working")

    def _check(self) -> None:
        self.banner.hide()
        handle = self.operations.run(
            "Check the vault", bridge.check, self._checked, self.fail, lambda: None, shown=True
        )
        self._begin(handle, "Checking", "Everybody can go on working")

    def _checked(self, findings: "tuple[Finding, ...]") -> None:
        clear(self._verdict)
        clear(self._findings)
        if not findings:
            self._verdict.addWidget(IconLabel("check", "pass.fg", 18))
            self._verdict.addWidget(label(f"The vault is whole. Checked at {datetime.now():%H:%M}.", strong=True), 1)
            return
        count = len(findings)
        self._verdict.addWidget(IconLabel("alert", "fail.fg", 18))
        self._verdict.addWidget(
            label(f"{count:,} thing{'' if count == 1 else 's'} to look at.", tone="fail", strong=True), 1
        )
        for found in findings[:SHOWN_FINDINGS]:
            self._findings.addWidget(line())
            self._findings.addWidget(_finding(found))
        if count > SHOWN_FINDINGS:
            self._findings.addWidget(
                label(f"and {count - SHOWN_FINDINGS:,} more: `assay vault check` lists them all", tone="secondary")
            )

    def _compact(self) -> None:
        handle = self.operations.run(
            "Compact the vault",
            bridge.compact,
            lambda freed: self.shell.toast(
                f"{size(freed)} given back to the disk" if freed else "There was nothing to give back"
            ),
            self.fail,
            lambda: None,
            shown=True,
        )
        self._begin(handle, "Compacting", "Changes wait until it is done")

    # policy

    def _ask_policy(self) -> None:
        if self._care is None:
            return
        form = PolicyForm(self._care.policy)
        form.cancelled.connect(self.shell.close_overlay)
        form.acted.connect(lambda: self._change(form))
        self.shell.open_dialog(form, 560)

    def _change(self, form: PolicyForm) -> None:
        settings, reason = form.settings(), form.reason.text.strip()
        (own,) = form.take_secrets()
        form.wait("It is being signed.")

        def done(_: "Policy") -> None:
            self.shell.close_overlay()
            self.shell.toast("The policy was changed, and the change is signed")
            self.opened()

        def failed(found: Failure) -> None:
            wrong = isinstance(found.error, WrongPassphrase)
            form.refuse(
                "Your passphrase is wrong. Nothing was changed." if wrong else f"{found.sentence} {found.safe}".strip()
            )

        self.operations.run(
            "Change the policy", lambda bench, job: bridge.change_policy(bench, settings, reason, own), done, failed
        )


def proofs(found: Care) -> list[tuple[str, str]]:
    """How the log is proved: what this machine kept of it, and what each witness vouched for."""
    said = [("Kept here", f"{moment(found.seen)}, outside the vault" if found.seen else "Nothing yet on this machine")]
    for one in found.witnessed:
        newer = found.entries - one.size
        since = f"; {newer:,} newer" if newer else ""
        said.append(("Witness", f"{one.name} vouched for {one.size:,} entries on {moment(one.time)}{since}"))
    if not found.witnessed:
        said.append(("Witness", "Nobody on another machine has vouched for it yet"))
    return said


def _facts(card: Card):
    made = column(space=6)
    card.body.addLayout(made)
    return made


def _finding(found: "Finding") -> QWidget:
    made = QWidget()
    made.setLayout(
        column(
            label(found.where, type="code", wrap=True),
            label(found.what[:1].upper() + found.what[1:], wrap=True),
            label(found.step, tone="secondary", wrap=True),
            space=2,
        )
    )
    made.setAccessibleName(f"{found.where}: {found.what} {found.step}")
    return made
