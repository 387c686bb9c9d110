"""The evaluation that was chosen at a run's start, once more: after it failed, or was broken off. Its finding becomes the adapter's, and until one
has finished nobody approves the adapter."""

from core.errors import BadInput
from core.training.records import TrainingView


def check(view: TrainingView) -> None:
    """Raises `BadInput` for a run that has nothing to evaluate, or nothing to evaluate it by."""
    if view.status != "finished":
        raise BadInput(
            source=view.run.id, problem="it hasn't finished, so there is nothing to evaluate. Go on with it."
        )
    if view.run.spec.evaluation is None:
        raise BadInput(
            source=view.run.id, problem="its spec names no evaluation. Give one under evaluation, and train anew."
        )


def missing(view: TrainingView) -> str:
    """Why a run isn't approved yet: the evaluation that it was to meet hasn't finished. Empty where it has, or none was chosen."""
    judged = view.run.spec.evaluation
    if judged is None or not judged.spec or (view.proved is not None and view.proved.finished):
        return ""
    return f"its evaluation by {judged.spec} hasn't finished. Run it with `assay train evaluate {view.run.id}`"
