"""A hold on a collection keeps what programs asked it over the API."""

import openai
import pytest

from core.errors import Refused
from core.jobs import Job
from core.records import Digest
from core.vault import erasure, holds
from core.vault.erasure import Erase
from core.vault.holds import PlaceHold, Thing
from core.workbench import ERASABLES, Workbench
from tests.conftest import PASSPHRASES


def test_calls_that_asked_a_held_collection_stay(client: openai.OpenAI, bench: Workbench) -> None:
    asked = [{"role": "user", "content": "How many floors has the tower?"}]
    kept, gone = (
        Digest(client.chat.completions.create(model=model, messages=asked).assay["trace"])
        for model in ("collection:towers", "fake")
    )
    with bench.vault.confirm(PASSPHRASES["ines"]) as signer:

        def erase(digest: Digest) -> None:
            things = (Thing(kind="api-call", reference=digest),)
            erasure.erase(bench.vault, ERASABLES, signer, Erase(things=things, reason="request 12"), Job("Erase"))

        thing = Thing(kind="collection", reference="towers")
        holds.place(bench.vault, ERASABLES, signer, PlaceHold(name="case-7", things=(thing,), reason="a lawsuit"))
        with pytest.raises(Refused, match="case-7"):
            erase(kept)
        erase(gone)
    assert bench.api_calls.show(kept).answer
    assert gone not in [digest for digest, _ in bench.api_calls.list()]
