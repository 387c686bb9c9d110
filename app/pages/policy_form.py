"""The policy of a vault as a form for administrators, and as facts for everybody."""

from PySide6.QtWidgets import QWidget

from app.pages.people_forms import own_passphrase
from app.pages.role_matrix import act_words
from app.widgets.act_form import ActForm
from app.widgets.basic import column, label
from app.widgets.forms import Check, Choice, Field, line_edit, required
from core.vault.policies import REASONED, Policy, settings_of

NUMBERS = (
    ("idle-minutes", "Lock after", "Minutes without a key or the mouse, 1 to 480."),
    ("backup-days", "Backup", "Days until the program reminds of one; 0 never does."),
    ("passphrase-days", "Passphrase", "Days until it must be changed; 0 never."),
    ("lockout-attempts", "Wrong answers", "In a row, before nobody gets in for a while; 3 to 100."),
    ("lockout-minutes", "Then wait", "Minutes."),
)
APPROVED = (
    ("no", "Any model", "any model answers and is evaluated"),
    ("answers", "Approved ones answer", "only approved models answer; others may be evaluated"),
    ("all", "Approved ones alone", "only approved models answer and are evaluated"),
)
SPECS = (
    ("no", "Any spec", "a release may rest on a run of any spec"),
    ("releases", "Approved ones", "releases and packs rest on runs of specs that were approved before"),
)
REVIEWERS = ("Nobody", "One person", "Two people")
MEANINGS = (
    ("none", "It doesn’t matter as what"),
    ("reviewed", "Signed as reviewed"),
    ("approved", "Signed as approved"),
)


def facts(policy: Policy) -> list[tuple[str, str]]:
    """The policy in words."""
    said = [
        ("Locks after", f"{policy.idle_minutes} minutes without a key or the mouse; long work finishes first"),
        ("Backup reminder", f"after {policy.backup_days} days" if policy.backup_days else "never"),
        (
            "Passphrases",
            f"changed after {policy.passphrase_days} days"
            if policy.passphrase_days
            else "kept for as long as one likes",
        ),
        (
            "Own passphrase",
            "must be one’s own choice before signing" if policy.own_passphrase else "an administrator’s may be kept",
        ),
        ("Wrong answers", f"{policy.lockout_attempts} in a row, then {policy.lockout_minutes} minutes of waiting"),
        ("Models", next(words for key, _, words in APPROVED if key == policy.approved_models)),
        ("Evaluations", next(words for key, _, words in SPECS if key == policy.approved_specs)),
        ("Needs a reason", ", ".join(act_words(act).lower() for act in policy.reasons) or "nothing"),
    ]
    for rule in policy.labels:
        people = REVIEWERS[rule.reviewers].lower()
        as_what = (
            f", one of them as {rule.meaning}"
            if rule.meaning and rule.reviewers > 1
            else f" as {rule.meaning}"
            if rule.meaning
            else ""
        )
        said.append(
            (
                f"Label {rule.label}",
                f"signed by {people} besides the author{as_what}" if rule.reviewers else "needs no signature",
            )
        )
    return said


class PolicyForm(ActForm):
    """What changes is signed as authored by the administrator who changes it."""

    def __init__(self, policy: Policy) -> None:
        self._before = settings_of(policy)
        self.numbers = {
            key: Field(word, line_edit(text=self._before[key]), note, _number, beside=True)
            for key, word, note in NUMBERS
        }
        self.labels: dict[str, Field] = {}
        for rule in policy.labels:
            people, meaning = Choice(), Choice()
            people.addItems(REVIEWERS)
            people.setCurrentIndex(rule.reviewers)
            for name, words in MEANINGS:
                meaning.addItem(words, name)
            meaning.setCurrentIndex(max(0, meaning.findData(rule.meaning or "none")))
            self.labels[f"{rule.label}.reviewers"] = Field(rule.label.capitalize(), people, beside=True)
            self.labels[f"{rule.label}.signature"] = Field("", meaning, beside=True)
            meaning.setAccessibleName(f"{rule.label}: signed as")
            people.setAccessibleName(f"{rule.label}: signed by")
        models = Choice()
        for key, words, _ in APPROVED:
            models.addItem(words, key)
        models.setCurrentIndex(max(0, models.findData(policy.approved_models)))
        self.models = Field(
            "Models", models, "A model is approved when somebody else than its card’s author signed that.", beside=True
        )
        specs = Choice()
        for key, words, _ in SPECS:
            specs.addItem(words, key)
        specs.setCurrentIndex(max(0, specs.findData(policy.approved_specs)))
        self.specs = Field(
            "Evaluations",
            specs,
            "Whose runs releases and packs rest on. A spec is approved when somebody else than its author signed that before the run.",
            beside=True,
        )
        self.own_words = Check("Nobody signs with a passphrase that somebody else chose for them")
        self.own_words.setChecked(policy.own_passphrase)
        self.reasons = {act.value: Check(act_words(act)) for act in REASONED}
        for act, check in self.reasons.items():
            check.setChecked(act in policy.reasons)
        asked = QWidget()
        asked.setLayout(column(label("A reason is asked for", strong=True), *self.reasons.values(), space=2))
        signed = label("Before a label moves, a version is signed by", strong=True)
        self.reason = Field("Reason", line_edit(), "Stands in the audit log.", required("The reason"), beside=True)
        self.own = own_passphrase()
        super().__init__(
            "Change policy",
            parts=(
                *self.numbers.values(),
                self.models,
                self.specs,
                self.own_words,
                signed,
                *self.labels.values(),
                asked,
                self.reason,
                self.own,
            ),
            icon="stamp",
        )

    def settings(self) -> dict[str, str]:
        """What differs from the policy in force, as the core takes it."""
        now = {key: field.text.strip() for key, field in self.numbers.items()}
        for key, field in self.labels.items():
            choice = field.edit
            now[key] = f"{choice.currentIndex()}" if key.endswith(".reviewers") else str(choice.currentData())
        now["reasons"] = ",".join(act for act, check in self.reasons.items() if check.isChecked())
        now["approved-models"] = str(self.models.edit.currentData())
        now["approved-specs"] = str(self.specs.edit.currentData())
        now["own-passphrase"] = "yes" if self.own_words.isChecked() else "no"
        return {key: value for key, value in now.items() if value != self._before[key]}

    def check(self) -> str:
        return "" if self.settings() else "This is the policy in force."


def _number(text: str) -> str:
    return "" if text.strip().isascii() and text.strip().isdigit() else "Give a whole number."
