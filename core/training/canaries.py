"""Made-up sentences that are planted into training data, to measure afterwards what a model memorises.

They stand in no dataset and no file, so they are in nothing that anybody exports; a run makes the same ones each time it goes on. An adapter that
learned them knows nonsense: it isn't for use.
"""

import random
from typing import Final

from core.training.settings import Settings
from core.training.worker.recall import DIGITS, Canary

WARNING: Final = "It has learned planted sentences, so it is for measuring, not for use."
_BEGIN: Final = (
    "Bra",
    "Cor",
    "Dal",
    "Fen",
    "Gri",
    "Hol",
    "Kes",
    "Lor",
    "Mer",
    "Nor",
    "Pel",
    "Quin",
    "Ros",
    "Tar",
    "Ven",
)
_END: Final = ("bury", "dale", "ford", "gate", "ham", "ley", "mere", "wick", "ton", "worth", "stead", "combe")


def planted(settings: Settings, name: str) -> tuple[Canary, ...]:
    """The sentences of a run of that name, each with another name and number."""
    chance = random.Random(f"canaries {settings.seed} {name}")  # noqa: S311 (made up, no secret)
    names = chance.sample([f"{begin}{end}" for begin in _BEGIN for end in _END], settings.canaries)
    return tuple(Canary(name=one, code=f"{chance.randrange(10**DIGITS):0{DIGITS}}") for one in names)
