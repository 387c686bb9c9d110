"""What the models page does with files on the disk: looking at them, taking models off the list, and deleting them."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from app.bridge.opening import size
from app.bridge.operations import Failure
from app.pages.removal import Removal
from core.models.records import DiskView
from core.vault.roles import Act

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.pages.models import ModelsPage


class ModelRemovals:
    """The page's acts on the disk."""

    def __init__(self, page: "ModelsPage") -> None:
        self._page = page
        self._folders: tuple[str, ...] = ()
        page.disk.looked.connect(self.look)
        page.disk.folder_asked.connect(self._take_folder)
        page.disk.discard.connect(self._ask_discard)
        page.detail.remove.connect(self._remove)

    def look(self) -> None:
        """Look at the disk, and show it."""
        folders = self._folders

        def failed(found: Failure) -> None:
            self._folders = ()
            self._page.fail(found)

        self._page.operations.run(
            "Look at the models’ files",
            lambda bench, job: bench.model_disk.view(folders, job),
            self._show_disk,
            failed,
            shown=True,
        )

    def _show_disk(self, found: DiskView) -> None:
        self._page.disk.show_disk(found)

    def _take_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self._page, "Look for model files in a folder")
        if path:
            self._folders = tuple(dict.fromkeys((*self._folders, path)))
            self.look()

    def _ask_discard(self, name: str) -> None:
        says = f"{name} is taken off the list, and its files are deleted from the disk. That can’t be undone."
        self._ask_removal("Delete model and files", says, lambda reason: self._discard(name, reason), always=True)

    def _discard(self, name: str, reason: str) -> None:
        def done(freed: int) -> None:
            self._page.shell.toast(f"{name} is deleted; {size(freed)} are free again.")
            self.look()

        self._page.begin(f"Deleting {name}", lambda bench, job: bench.model_disk.discard(name, reason, job), done)

    def _remove(self) -> None:
        found = self._page.table.current()
        if found is None:
            return
        says = f"{found.name} can’t be used any more. The file stays where it is."
        self._ask_removal("Remove model", says, lambda reason: self._remove_now(found.name, reason))

    def _ask_removal(self, act: str, says: str, go: "Callable[[str], None]", always: bool = False) -> None:
        """Ask first, where the policy wants a reason or `always`."""
        reasoned = Act.REMOVE_MODEL.value in self._page.rules.reasons
        if not reasoned and not always:
            go("")
            return
        panel = Removal(act, says, reasoned)
        panel.keep.clicked.connect(self._page.shell.close_overlay)

        def remove() -> None:
            if panel.good():
                reason = panel.reason.text.strip()
                self._page.shell.close_overlay()
                go(reason)

        panel.remove.clicked.connect(remove)
        self._page.shell.open_dialog(panel, 440)

    def _remove_now(self, name: str, reason: str) -> None:
        self._page.operations.run(
            "Remove a model",
            lambda bench, job: bench.models.remove(name, reason),
            lambda _: self._page.shell.toast(f"{name} is no longer registered. The file stays."),
            self._page.fail,
        )
