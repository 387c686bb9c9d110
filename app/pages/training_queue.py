"""What is done to sweeps on the fine-tuning page: one is started, goes on, and is ended. It runs and is paused as a single run is."""

from typing import TYPE_CHECKING

from core.training.records import TrainSpec
from core.training.sweeps import SweepView

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.pages.training import TrainingPage
    from core.jobs import Job
    from core.workbench import Workbench

KEEPS_NOT = "The runs of a sweep end by themselves. Pause it, and keep a run’s checkpoint from its page."


class SweepActs:
    """The page's acts on its sweeps. `going` while one is trained."""

    def __init__(self, page: "TrainingPage") -> None:
        self._page = page
        self.going = False
        self._name = ""
        self._read = 0
        page.sweeps.opened.connect(page._open)
        page.sweeps.resumed.connect(self.resume)
        page.sweeps.ended.connect(self.end)

    def load(self, wanted: str = "") -> None:
        """Read the sweeps as they stand; `wanted` is chosen."""
        self._read += 1
        asked = self._read

        def work(bench: "Workbench", job: "Job") -> tuple[SweepView, ...]:
            sweeps = getattr(bench, "sweeps", None)
            return sweeps.list() if sweeps is not None else ()

        def done(found: tuple[SweepView, ...]) -> None:
            if asked != self._read:
                return
            shown = self._page.sweeps
            shown.running = "" if not self.going else self._name or (found[0].sweep.id if found else "")
            shown.show_sweeps(found, wanted or shown.running)
            self._page.view.count("sweeps", len(found))

        self._page.operations.run("Read the sweeps", work, done, self._page.fail)

    def start(self, spec: TrainSpec) -> None:
        """Train the runs that a spec lists."""
        self._begin(spec.name, "", lambda bench, job, watch: bench.sweeps.start(spec, spec.name, job, watch))

    def resume(self, name: str) -> None:
        """Go on with a sweep's queue."""
        self._begin(name, name, lambda bench, job, watch: bench.sweeps.resume(name, job, watch))

    def end(self, name: str) -> None:
        """Take what hasn't run out of a sweep's queue."""

        def done(view: SweepView) -> None:
            self._page.shell.toast(f"{view.sweep.name} is ended. Its runs stay.")
            self.load(name)

        self._page.operations.run("End a sweep", lambda bench, job: bench.sweeps.cancel(name), done, self._page.fail)

    def over(self) -> None:
        """None is trained any more."""
        self.going = False

    def _begin(self, title: str, name: str, work: "Callable[[Workbench, Job, Callable[..., None]], SweepView]") -> None:
        page = self._page
        if page._work is not None or page._looking is not None:
            return
        self.going, self._name = True, name

        def done(view: SweepView) -> None:
            page._over()
            page.shell.toast(f"All runs of {view.sweep.name} have ended.")
            page.load(view.sweep.id)
            page._turn("sweeps")

        page._begin(title, work, (), done=done)
        page.run_view.keep_now_button.refuse(KEEPS_NOT)
