"""Retention: how long content is kept, what must stay, and what must go.

Three views: the rules with what is due, the legal holds, and erasing by law. Whatever is placed, released or erased is shown exactly before it
is signed; who may do it, and what keeps it from being done, the core says.
"""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QStackedWidget, QWidget

from app.bridge import keeping as bridge
from app.bridge.keeping import Keeping, Rule, ToErase, named
from app.bridge.operations import Failure, Handle
from app.pages.erase_view import EraseView, due_text, plan_text
from app.pages.holds_view import HoldsView
from app.pages.page import Page, Shell, take_focus
from app.pages.retention_forms import HoldForm, RuleForm
from app.pages.retention_rules import ONLY_ADMIN, RulesView, due_words, kept_words, trial_words
from app.pages.signatures import exact_moment
from app.pages.signed_work import sign_and_work, to_sign
from app.widgets.basic import column, frame
from app.widgets.buttons import Segments, button
from app.widgets.long_work import LongWork
from app.widgets.quick_switcher import Target
from core.jobs import Job
from core.vault.events import Changed
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from app.widgets.signing import Signed
    from core.vault.erasure import ErasedContent, Plan
    from core.vault.holds import Hold, HoldState
    from core.vault.retention import Due
    from core.vault.signing import Signer
    from core.workbench import Workbench

ABOUT_RETENTION = frozenset({Act.ERASE, Act.HOLD, Act.SET_RETENTION})
WHO_HOLDS = "Only an administrator or a reviewer may do this."
NAME_NOBODY = "It stays on the tombstone, so name nobody in it."
TITLES = {"rules": "Rules", "holds": "Legal holds", "erase": "Erase"}


class RetentionPage(Page):
    """The page. `show_about` takes "rules", "holds" or "erase"."""

    title = "Retention"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.found: Keeping | None = None
        self._work: Handle | None = None
        self._trial: tuple[str, int | None] | None = None
        self.view = Segments(tuple(TITLES.items()), "What to show")
        self.view.chosen.connect(self._turn)
        self.bar.about(self.view)
        self.apply = button("Erase what is due…", "stamp", "primary")
        self.apply.clicked.connect(self._ask_apply)
        self.hold = button("Place a hold…", "stamp", "primary")
        self.hold.clicked.connect(self._ask_hold)
        self.hold.hide()
        self.bar.act(self.apply, self.hold)
        self.work = LongWork()
        self.work.cancelled.connect(self._stop)
        self._working: QFrame = frame("panel")
        self._working.setLayout(column(self.work, margins=(20, 14, 20, 14)))
        self._working.hide()
        self.rules = RulesView()
        self.rules.change_asked.connect(self._ask_rule)
        self.rules.trial_left.connect(self._leave_trial)
        self.holds = HoldsView()
        self.holds.release_asked.connect(self._ask_release)
        self.erasing = EraseView(shell.operations)
        self.erasing.preview_asked.connect(self._preview)
        self.erasing.erase_asked.connect(self._ask_erase)
        self._views: dict[str, QWidget] = {"rules": self.rules, "holds": self.holds, "erase": self.erasing}
        self._stack = QStackedWidget()
        for view in self._views.values():
            self._stack.addWidget(view)
        self.body.addWidget(self._working)
        self.body.addWidget(self._stack, 1)
        self._judge()

    # what the window asks

    def opened(self) -> None:
        self.operations.run("Look at what is kept", lambda bench, job: bridge.keeping(bench), self._show, self.fail)
        if not self.erasing.previewing:
            self.erasing.picker.search()

    def show_about(self, about: object) -> None:
        """One of the views, or ("erase", a kind of content, words that are looked for)."""
        if isinstance(about, tuple):
            _, kind, words = about
            picker = self.erasing.picker
            picker.kind.setCurrentIndex(max(0, picker.kind.findData(kind)))
            picker.text.setText(words)
            about = "erase"
        if about in self._views:
            self.view.choose(str(about))
            self._turn(str(about))

    def changed(self, event: object) -> None:
        if isinstance(event, Changed) and event.act in ABOUT_RETENTION and self.isVisible():
            self.opened()

    def start(self) -> QWidget:
        if self.view.current() == "rules":
            return self.rules.table if self.rules.table.isVisibleTo(self.rules) else self.view.segment("rules")
        if self.view.current() == "holds":
            return self.holds.table if self.holds.table.isVisibleTo(self.holds) else self.hold
        return self.erasing.picker.text

    def panes(self) -> list[QWidget]:
        if self.view.current() == "rules":
            return [self.bar, self.rules]
        return [self.bar, self.holds] if self.view.current() == "holds" else [self.bar, *self.erasing.panes()]

    def targets(self) -> list[Target]:
        return [
            Target(f"Retention: {words.lower()}", "Section", "history", lambda which=name: self._go(which))
            for name, words in TITLES.items()
        ]

    def _go(self, which: str) -> None:
        self.shell.go("retention", which)

    def _turn(self, which: str) -> None:
        self._stack.setCurrentWidget(self._views[which])
        self._judge()

    # showing

    def _show(self, found: Keeping) -> None:
        self.found = found
        self.rules.show_rules(found.rules, "" if self._may(Act.SET_RETENTION) else ONLY_ADMIN)
        if self._trial is None:
            self._show_due()
        self.holds.show_holds(found.holds, found.people, "" if self._may(Act.HOLD) else WHO_HOLDS)
        self._judge()
        take_focus(self)

    def _show_due(self) -> None:
        if self.found is not None:
            any_rule = any(rule.days is not None for rule in self.found.rules)
            self.rules.show_due(self.found.due, due_words(self.found.due, any_rule), False)

    def _judge(self) -> None:
        which = self.view.current()
        self.apply.setVisible(which == "rules")
        self.hold.setVisible(which == "holds")
        due = self.found.due if self.found is not None else ()
        busy = "Something else is under way." if self._work is not None else ""
        reason = "" if self._may(Act.ERASE) else ONLY_ADMIN
        if not reason and not due:
            reason = "Nothing is due."
        elif not reason and all(one.holds for one in due):
            reason = "What is due is kept by a hold, or somebody else must erase it."
        elif not reason and self._trial is not None:
            reason = "End the preview first: that rule isn’t in force."
        self.apply.refuse(busy or reason)
        self.hold.refuse(busy or ("" if self._may(Act.HOLD) else WHO_HOLDS))

    def _may(self, act: Act) -> bool:
        workbench = self.operations.workbench
        return workbench is not None and allowed(act, workbench.vault.user.roles)

    # rules

    def _ask_rule(self, rule: Rule) -> None:
        form = RuleForm(rule)

        def counted(due: "tuple[Due, ...]", days: int) -> None:
            form.say_count(trial_words(rule.name, days, due), bool(due))

        form.count_asked.connect(
            lambda days: self.operations.run(
                "Count what would be due",
                lambda bench, job: bridge.tried(bench, rule.name, days),
                lambda due: counted(due, days),
                lambda found: form.refuse(found.sentence),
            )
        )
        form.list_asked.connect(lambda days: self._try(rule, days))
        form.cancelled.connect(self.shell.close_overlay)
        form.acted.connect(lambda: self._set_rule(form))
        self.shell.open_dialog(form, 520)

    def _try(self, rule: Rule, days: int | None) -> None:
        self.shell.close_overlay()

        def done(due: "tuple[Due, ...]") -> None:
            self._trial = (rule.name, days)
            self.rules.show_due(due, trial_words(rule.name, days, due), True)
            self._judge()
            self.rules.leave.setFocus()

        self.operations.run("Preview a rule", lambda bench, job: bridge.tried(bench, rule.name, days), done, self.fail)

    def _leave_trial(self) -> None:
        self._trial = None
        self._show_due()
        self._judge()

    def _set_rule(self, form: RuleForm) -> None:
        name, days, reason = form.rule.name, form.wanted(), form.reason.text.strip()
        form.wait("It takes a moment.")

        def done(_: object) -> None:
            self.shell.close_overlay()
            self._trial = None
            self.shell.toast(f"{form.rule.word} are {kept_words(days)}. Nothing was erased")
            self.opened()
            self.shell.care_changed()

        self.operations.run(
            "Set a rule",
            lambda bench, job: bridge.set_rule(bench, name, days, reason),
            done,
            lambda found: form.refuse(f"{found.sentence} {found.safe}".strip()),
        )

    def _ask_apply(self) -> None:
        if self.found is None:
            return
        going = [one for one in self.found.due if not one.holds]
        rules = [
            f"{rule.word}: {kept_words(rule.days)}, {rule.counts}" for rule in self.found.rules if rule.days is not None
        ]
        count = f"{len(going):,} content{'' if len(going) == 1 else 's'}"
        what = to_sign(
            self.shell,
            f"Erase what is due: {count}",
            due_text(going, rules),
            "Erase for good",
            "Erased content doesn’t come back.",
            NAME_NOBODY,
        )

        def work(bench: "Workbench", job: Job, signer: "Signer", entered: "Signed") -> "ErasedContent":
            return bridge.apply(bench, signer, entered.reason, job)

        sign_and_work(
            self.shell,
            what,
            work,
            lambda handle: self._begin(handle, "Erasing what is due", "Cancel keeps what isn’t erased yet", True),
            self._erased,
            self._failed,
            self._stopped,
        )

    # holds

    def _ask_hold(self) -> None:
        form = HoldForm(self.operations)
        form.cancelled.connect(self.shell.close_overlay)

        def checked(hold: "Hold") -> None:
            self.shell.close_overlay()
            self._sign_hold(form, hold)

        def check() -> None:
            form.wait("It is looked up.")
            name, things = form.name.text.strip(), tuple(form.picker.chosen.values())
            self.operations.run(
                "Check a hold",
                lambda bench, job: bridge.check_hold(bench, name, "checked", things),
                checked,
                lambda found: form.refuse(bridge.plain(found.sentence)),
            )

        form.acted.connect(check)
        self.shell.open_dialog(form, 640)

    def _sign_hold(self, form: HoldForm, hold: "Hold") -> None:
        things = tuple(form.picker.chosen.values())
        lines = [f"  {named(held.kind, held.label)}" for held in hold.things]
        text = "\n".join([f"Legal hold: {hold.name}", "", "Until it is released, nobody erases:", *lines])
        what = to_sign(
            self.shell, f"Place the hold {hold.name}", text, "Place hold", "It ends when it is released.", ""
        )

        def work(bench: "Workbench", job: Job, signer: "Signer", entered: "Signed") -> "HoldState":
            return bridge.place_hold(bench, signer, hold.name, entered.reason, things)

        self._sign_quickly(what, work, f"The hold {hold.name} is placed and signed")

    def _ask_release(self, state: "HoldState") -> None:
        hold = state.hold
        lines = [f"  {named(held.kind, held.label)}" for held in hold.things]
        text = "\n".join(
            [
                f"Release of the hold: {hold.name}",
                f"Placed by {hold.user} on {exact_moment(hold.time)}, because: {hold.reason}",
                "",
                "From now on, rules and erasure apply again to:",
                *lines,
            ]
        )
        what = to_sign(
            self.shell, f"Release the hold {hold.name}", text, "Release hold", "Somebody else erases what it kept.", ""
        )

        def work(bench: "Workbench", job: Job, signer: "Signer", entered: "Signed") -> "HoldState":
            return bridge.release_hold(bench, signer, hold.name, entered.reason)

        self._sign_quickly(what, work, f"The hold {hold.name} is released, and that is signed")

    def _sign_quickly(self, what, work, said: str) -> None:
        def done(_: object) -> None:
            self.shell.toast(said)
            self.opened()

        sign_and_work(self.shell, what, work, lambda handle: None, done, self._failed, lambda: None)

    # erasing

    def _preview(self, wanted: ToErase) -> None:
        self.banner.hide()
        self.erasing.preview.refuse("It is worked out what would go.")

        def done(plan: "Plan") -> None:
            self.erasing.preview.refuse("")
            self.erasing.show_plan(wanted, plan, "" if self._may(Act.ERASE) else ONLY_ADMIN)

        def failed(found: Failure) -> None:
            self.erasing.preview.refuse("")
            self._failed(found)

        self.operations.run("Preview an erasure", lambda bench, job: bridge.plan(bench, wanted), done, failed)

    def _ask_erase(self) -> None:
        plan, wanted = self.erasing.plan, self.erasing.wanted
        if plan is None or wanted is None or self._work is not None:
            return
        count = f"{len(plan.items):,} content{'' if len(plan.items) == 1 else 's'}"
        what = to_sign(
            self.shell,
            f"Erase {count}",
            plan_text(plan),
            "Erase for good",
            "Erased content doesn’t come back.",
            NAME_NOBODY,
        )

        def work(bench: "Workbench", job: Job, signer: "Signer", entered: "Signed") -> "ErasedContent":
            return bridge.erase(bench, signer, wanted, entered.reason, job)

        sign_and_work(
            self.shell,
            what,
            work,
            lambda handle: self._begin(handle, "Erasing", "All of it goes, or nothing", False),
            self._erased,
            self._failed,
            self._stopped,
        )

    # work that takes a while

    def _begin(self, handle: Handle, title: str, note: str, may_stop: bool) -> None:
        self.banner.hide()
        self._work = handle
        self.work.begin(title, note)
        self.work.cancel.setVisible(may_stop)
        self._working.show()
        self._judge()
        handle.progress.connect(lambda progress: self.work.say(progress.done, progress.total, progress.unit))
        handle.ended.connect(self._ended)

    def _ended(self) -> None:
        self._work = None
        self._working.hide()
        self._judge()

    def _stop(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def _erased(self, done: "ErasedContent") -> None:
        stones = f"{len(done.tombstones):,} signed tombstone{'' if len(done.tombstones) == 1 else 's'}"
        self.shell.toast(f"{done.items:,} erased for good. {stones} stay{'s' if len(done.tombstones) == 1 else ''}")
        if self.view.current() == "erase":
            self.erasing.begin_anew()
        self.opened()
        self.shell.care_changed()

    def _stopped(self) -> None:
        self.shell.toast("Stopped. What was erased until then is gone; the rest is untouched")
        self.opened()

    def _failed(self, found: Failure) -> None:
        self.banner.say(bridge.plain(found.sentence), found.safe)
        self.opened()
