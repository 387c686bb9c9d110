"""People at commands, for tests: the real console of this process, with what it prints kept and what it asks answered."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from core.cli.console import Console
from core.cli.here import Here
from core.cli.main import execute
from tests.conftest import PASSPHRASES


class Person(Here):
    """Someone in `folder` who runs commands in this process, or through another that has the vault open."""

    def __init__(self, vault: Path, user: str, folder: Path, draws: bool = False) -> None:
        super().__init__(execute=execute)
        self.vault, self.user = str(vault), user
        self.folder = folder
        self.drawing = draws
        self.known = PASSPHRASES.get(user, "")
        self.asked: list[str] = []
        self.signs_as = user
        self.said: list[str] = []
        self.printed: list[str] = []
        self.answers: list[str | Exception] = []
        self.told = threading.Event()

    def __call__(self, *arguments: str | Path, run: Callable[[Console, Sequence[str]], int] = execute) -> int:
        self.printed.clear()
        self.said.clear()
        self.arguments = tuple(map(str, arguments))
        return run(self, self.arguments)

    @property
    def draws(self) -> bool:
        return self.drawing

    @property
    def output(self) -> str:
        return "".join(self.printed)

    @property
    def errors(self) -> str:
        return "".join(self.said)

    def out(self, text: str) -> None:
        self.printed.append(text)
        self.told.set()

    def err(self, text: str) -> None:
        self.said.append(text)

    def broken(self) -> None:
        pass

    def path(self, given: str) -> Path:
        return self.folder / given

    def passphrase(self, prompt: str, confirm: bool) -> str:
        self.asked.append(prompt)
        return self.known

    def ask_passphrase(self, prompt: str, confirm: bool, step: str) -> str:
        self.asked.append(prompt)
        return self._answer()

    def user_name(self, prompt: str, given: str) -> str:
        self.asked.append(prompt)
        return self.signs_as

    def agrees(self, question: str, step: str) -> bool:
        self.asked.append(question)
        return self._answer() == "yes"

    def _answer(self) -> str:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer
