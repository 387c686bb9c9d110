"""As `carded`, with a card that is nearly full."""

from msgspec.structs import replace

from core.records import Record
from core.workers.serving import Handler
from tests.unit.workers.children import carded

FREE = 19_600_000


def handlers() -> dict[type[Record], Handler]:
    return carded.played(replace(carded.CARD, free=FREE))
