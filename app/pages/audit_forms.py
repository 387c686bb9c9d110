"""The dialogs of the audit log: export, review, the end of a rollback warning, and what a witness gave back."""

from collections.abc import Sequence

from app.widgets.act_form import ActForm
from app.widgets.forms import Choice, Field, line_edit, required

FORMATS = ((".csv", "CSV, for a spreadsheet"), (".json", "JSON, with what proves each entry"))


class ExportForm(ActForm):
    """In which form the entries are written, and why."""

    def __init__(self, narrowed: str) -> None:
        choice = Choice()
        for _, words in FORMATS:
            choice.addItem(words)
        self.kind = Field("Form", choice, beside=True)
        self.reason = Field(
            "Reason",
            line_edit("For the inspection in June"),
            "Stands in the audit log with the file’s digest.",
            beside=True,
        )
        says = f"Only what the filter shows is written: {narrowed}." if narrowed else "The whole log is written."
        super().__init__(
            "Export",
            f"{says} The file lies outside the vault and isn’t encrypted.",
            (self.kind, self.reason),
            "upload",
            title="Export the audit log",
        )

    def format(self) -> str:
        """The file's ending."""
        return FORMATS[self.kind.edit.currentIndex()][0]


class ReviewForm(ActForm):
    """Which entries were read."""

    def __init__(self, unreviewed: Sequence[tuple[int, int]], size: int) -> None:
        first, last = unreviewed[0] if unreviewed else (0, size - 1)
        self.first = Field("From entry", line_edit(text=f"{first}"), check=_number, beside=True)
        self.last = Field("To entry", line_edit(text=f"{last}"), check=_number, beside=True)
        parts = ", ".join(f"{one} to {two}" for one, two in unreviewed[:4])
        more = f" and {len(unreviewed) - 4} more" if len(unreviewed) > 4 else ""
        says = (
            f"Nobody else has reviewed {parts}{more}." if unreviewed else "Every entry was reviewed by somebody else."
        )
        super().__init__(
            "Go on",
            f"{says} Read the entries first. Then you sign what you found.",
            (self.first, self.last),
            "stamp",
            title="Review the audit log",
            consequences=("Your own entries in the range aren’t covered: somebody else reviews those.",),
        )

    def range(self) -> tuple[int, int]:
        return int(self.first.text), int(self.last.text)

    def check(self) -> str:
        first, last = self.range()
        return "" if first <= last else "The first entry must not come after the last."


class SettleForm(ActForm):
    """Take an older or different log as it is."""

    def __init__(self) -> None:
        self.reason = Field(
            "Reason",
            line_edit("Restored from the backup of 3 November"),
            "Stands in the audit log.",
            required("The reason"),
            beside=True,
        )
        super().__init__(
            "Settle",
            parts=(self.reason,),
            title="Settle the warning",
            consequences=(
                "Do this only when you know why: a backup was restored, or the vault was copied from another machine.",
                "From then on the log as it is now counts as the one seen. What came before is not proved by it.",
            ),
        )


class WitnessForm(ActForm):
    """A checkpoint that a witness cosigned; the witness's key where it is new."""

    def __init__(self, name: str) -> None:
        self.witness = Field(
            "Its key",
            line_edit("witness.example+1a2b3c4d+…"),
            "Only for a witness that is new here. Get it from the witness, not from the file.",
            beside=True,
        )
        super().__init__(
            "Take in",
            f"{name} is kept when this vault’s log and a known witness signed it.",
            (self.witness,),
            "save",
            title="A cosigned checkpoint",
        )


def _number(text: str) -> str:
    return "" if text.strip().isascii() and text.strip().isdigit() else "Give a number."
