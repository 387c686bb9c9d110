"""How much of the machine a model may take."""

import pytest

from core.inference.records import Finished, Generate, Message
from core.inference.service import Engine
from core.models.service import Models
from core.workers.supervisor import Supervisor


@pytest.mark.parametrize(("threads", "said"), [(1, ", 1 threads"), (3, ", 3 threads")])
def test_a_model_computes_with_as_many_threads_as_are_set(
    models: Models, supervisor: Supervisor, stories: str, threads: int, said: str
) -> None:
    engine = Engine(models, supervisor, lambda: threads)
    try:
        request = Generate(model=stories, messages=(Message(role="text", content="Once"),), max_tokens=2)
        (finished,) = [part for part in engine.generate(request) if isinstance(part, Finished)]
        assert said in finished.backend
    finally:
        engine.close()
