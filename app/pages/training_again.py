"""A run's evaluation that hasn't finished: why that matters, and running it again."""

from app.widgets.basic import Card, label, row
from app.widgets.buttons import button
from app.widgets.long_work import LongWork
from core.training.records import TrainingView


class AgainCard(Card):
    """`again_button` asks for it; `work` shows it while it goes on."""

    def __init__(self) -> None:
        super().__init__("The evaluation hasn’t finished")
        self.said = label("", tone="secondary", wrap=True)
        self.again_button = button("Run the evaluation again", "again", "primary")
        self.work = LongWork()
        self.body.addWidget(self.said)
        self.body.addLayout(row(self.again_button, None))
        self.body.addWidget(self.work)
        self.hide()

    def show_run(self, view: TrainingView) -> None:
        """Show it where something is missing."""
        what = unfinished(view)
        self.setVisible(bool(what))
        self.work.hide()
        self.again_button.show()
        self.said.setText(what)

    def begin(self) -> None:
        """It is being run."""
        self.again_button.hide()
        self.work.show()
        self.work.begin("Evaluating base and adapter")


def unfinished(view: TrainingView) -> str:
    """What of the evaluation that was chosen at the start is missing, in a sentence; nothing where all is there."""
    judged = view.run.spec.evaluation
    if judged is None or view.status != "finished" or view.run.imported:
        return ""
    if judged.spec and (view.proved is None or not view.proved.finished):
        return f"The adapter is kept, and nobody approves it before {judged.spec} has been run on it."
    if (judged.dataset or judged.file) and view.compared is None:
        return f"The adapter is kept; it wasn’t compared with its base on {judged.dataset or judged.file} yet."
    return ""
