"""Two models compared on a text: how well each foresees it, and how far their predictions are from each other; as a picture and as a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QFrame

from app.bridge.models import words_of
from app.bridge.opening import size
from app.pages.model_forms import Told, text_edit
from app.widgets.act_form import ActForm
from app.widgets.basic import frame, row
from app.widgets.buttons import button
from app.widgets.forms import Choice, Field, required
from app.widgets.loss_picture import Loss, LossPicture
from core.errors import AssayError
from core.models.making_records import Compared
from core.models.records import FAKE, LEGACY, ModelFile

if TYPE_CHECKING:
    from app.pages.models import ModelsPage

KINDS = "Texts (*.txt *.md);;All files (*)"


def comparable(model: ModelFile, known: Sequence[ModelFile]) -> tuple[ModelFile, ...]:
    """The models that read the same tokens as this one, as far as the files say."""
    if not _foresees(model):
        return ()
    return tuple(one for one in known if one.name != model.name and _foresees(one) and one.tokenizer == model.tokenizer)


def why_not(model: ModelFile, known: Sequence[ModelFile]) -> str:
    """Why a model can't be compared; nothing where it can."""
    if not _foresees(model):
        return "Models that write text are compared."
    return "" if comparable(model, known) else "No other model here reads the same tokens."


def _foresees(model: ModelFile) -> bool:
    return model.purpose == "chat" and model.name != FAKE and not model.architecture.startswith(LEGACY)


class CompareForm(ActForm):
    """With which model, and on what text."""

    def __init__(self, model: ModelFile, others: Sequence[ModelFile]) -> None:
        which = Choice()
        for one in others:
            which.addItem(f"{one.name}, {one.quantization}, {size(one.size)}", one.name)
        self.other = Field("With", which, f"{model.name} counts as the original.", beside=True)
        self.text = Field(
            "Measured on",
            text_edit("A page of text like the one that they will read", height=96),
            "Some pages give steadier numbers than some lines. The text stays on this machine and isn’t kept.",
            required("The text"),
            beside=True,
        )
        choose = button("From a file…", "file", small=True)
        choose.clicked.connect(self._choose)
        place = frame("plain")
        place.setLayout(row(None, choose))
        super().__init__(
            "Compare",
            "Both models read the text, and at each token it is measured what they foresaw. Nothing is written by them.",
            (self.other, self.text, place),
            "compare",
            title=f"Compare {model.name}",
        )
        self.setFocusProxy(self.other.edit)

    def request(self) -> tuple[str, str]:
        """The other model, and the text."""
        return str(self.other.edit.currentData()), self.text.text

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Measure on a text", "", KINDS)
        if path:
            self.take(path)

    def take(self, path: str) -> None:
        """Take the text of a file."""
        try:
            words = words_of(path)
        except AssayError as error:
            self.text.fail(str(error))
            return
        self.text.edit.setPlainText(words)
        self.text.say_note(f"{Path(path).name}, {len(words):,} characters")
        self.text.good()


class ComparedPanel(Told):
    """The picture, and the same numbers as rows."""

    def __init__(self, first: str, second: str, found: Compared) -> None:
        percent = f"{found.same_top:.1%}".replace("%", " %")
        facts = [
            ("Tokens compared", f"{found.tokens:,}"),
            (f"Perplexity of {first}", f"{found.first_perplexity:,.3f}"),
            (f"Perplexity of {second}", f"{found.second_perplexity:,.3f}"),
            ("Divergence, mean", f"{found.divergence:.4f} nats a token"),
            ("Divergence, 99 % under", f"{found.divergence_99:.4f} nats a token"),
            ("Same likeliest token", f"{percent} of all"),
        ]
        notes = [
            "Perplexity says how surprised a model is by the text; the divergence, how far the second’s predictions are from the first’s. "
            "Neither says which answers better: an evaluation does."
        ]
        super().__init__(f"{first} and {second}", facts, notes)
        self.picture = LossPicture(
            Loss(
                first,
                second,
                found.first_perplexity,
                found.second_perplexity,
                found.divergence,
                found.divergence_99,
                found.same_top,
            )
        )
        place = QFrame()
        place.setProperty("surface", "plain")
        inside = row(self.picture, space=0)
        inside.setContentsMargins(0, 4, 0, 10)
        place.setLayout(inside)
        self.layout().insertWidget(1, place)  # type: ignore[attr-defined]


def compare(page: "ModelsPage") -> None:
    """Ask with what the shown model is compared, measure with progress, and show what was found."""
    model = page.detail.model
    if model is None:
        return
    form = CompareForm(model, comparable(model, page.found.models))
    form.cancelled.connect(page.shell.close_overlay)
    first = model.name

    def go() -> None:
        second, text = form.request()
        page.shell.close_overlay()

        def done(found: Compared) -> None:
            panel = ComparedPanel(first, second, found)
            panel.close_button.clicked.connect(page.shell.close_overlay)
            page.shell.open_dialog(panel, 600)

        title = f"Comparing {first} with {second}"
        page.begin(title, lambda bench, job: bench.making.compare(first, second, text, job), done)

    form.acted.connect(go)
    page.shell.open_dialog(form, 560)
