"""The engine with real models in real workers."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.errors import (
    AssayError,
    BadInput,
    Cancelled,
    Changed,
    ContextExceeded,
    Damaged,
    NotFound,
    TemplateError,
    Unavailable,
    Unsupported,
    WorkerFailed,
)
from core.inference.pool import CRASHES
from core.inference.records import Finished, Generate, Message, Token
from core.inference.service import Engine
from core.jobs import Job
from core.models.records import FAKE, AddModel
from core.models.service import Models
from core.workers.supervisor import Supervisor
from tests.unit.inference.near import same


def asked(model: str, text: str = "Once upon a time", role: str = "text", **settings: object) -> Generate:
    return Generate(model=model, messages=(Message(role=role, content=text),), **settings)


def told(parts: Iterator[Token | Finished]) -> tuple[str, Finished]:
    *tokens, last = parts
    assert isinstance(last, Finished)
    return "".join(token.text for token in tokens if isinstance(token, Token)), last


# -- text ---------------------------------------------------------------------------------------------------------------------------


def test_a_real_model_tells_the_same_story_after_a_restart(engine: Engine, stories: str) -> None:
    first, finished = told(engine.generate(asked(stories, max_tokens=60)))
    engine.unload(stories)
    second, again = told(engine.generate(asked(stories, max_tokens=60)))
    assert first == second
    assert first.startswith(", there was a little girl named")
    assert (finished.reason, finished.tokens, finished.prompt) == ("length", 60, "Once upon a time")
    assert finished.prompt_tokens == again.prompt_tokens == 5
    assert 0 < finished.first_token_seconds <= finished.seconds
    assert finished.backend.startswith("llama-cpp-python ")


def test_what_was_asked_before_changes_nothing(warm: Engine, stories: str) -> None:
    question = asked(stories, "Tom had a dog", max_tokens=40, temperature=0.8, seed=7)
    first, _ = told(warm.generate(question))
    told(warm.generate(asked(stories, "Tom had a dog and a cat", max_tokens=30)))
    second, _ = told(warm.generate(question))
    assert first == second


def test_seeds_give_different_stories(warm: Engine, stories: str) -> None:
    answers = {told(warm.generate(asked(stories, max_tokens=30, temperature=1.0, seed=seed)))[0] for seed in range(4)}
    assert len(answers) > 1


def test_fast_mode_tells_the_same_greedy_story(warm: Engine, stories: str) -> None:
    slow, _ = told(warm.generate(asked(stories, max_tokens=30)))
    told(warm.generate(asked(stories, "Once upon a time there was a dog", max_tokens=5, mode="fast")))
    fast, _ = told(warm.generate(asked(stories, max_tokens=30, mode="fast")))
    assert fast == slow


def test_a_stop_text_ends_the_answer_and_is_not_part_of_it(warm: Engine, stories: str) -> None:
    whole, _ = told(warm.generate(asked(stories, max_tokens=60)))
    text, finished = told(warm.generate(asked(stories, max_tokens=60, stop=("named Lily", "ly"))))
    assert text == whole[: min(whole.index("named Lily"), whole.index("ly"))]
    assert finished.reason == "stop"
    assert finished.tokens < 60


def test_a_long_prompt_is_read_in_batches(warm: Engine, stories: str) -> None:
    text, finished = told(warm.generate(asked(stories, "Lily and Tom went to the park. " * 120, max_tokens=5)))
    assert finished.prompt_tokens > 1000
    assert text


def test_a_prompt_that_does_not_fit_is_refused_with_the_numbers(warm: Engine, stories: str) -> None:
    with pytest.raises(ContextExceeded) as caught:
        told(warm.generate(asked(stories, max_tokens=2044)))
    assert caught.value.fields == {"prompt": 5, "answer": 2044, "window": 2048}
    assert told(warm.generate(asked(stories, max_tokens=1)))[1].tokens == 1


def test_a_model_without_a_chat_template_refuses_a_conversation(warm: Engine, stories: str) -> None:
    with pytest.raises(Unsupported, match="stories: the file brings no chat template"):
        told(warm.generate(asked(stories, role="user")))


def test_a_prompts_template_is_rendered_in_the_worker(warm: Engine, stories: str) -> None:
    request = asked(stories, "Once upon a {{ what }}", variables={"what": "time"}, max_tokens=10)
    assert told(warm.generate(request))[1].prompt == "Once upon a time"
    with pytest.raises(TemplateError, match=r"Message 1 \(text\), line 1: 'what' is undefined"):
        told(warm.generate(asked(stories, "Once upon a {{ what }}", variables={})))


@pytest.mark.parametrize(
    "settings",
    [
        {"max_tokens": 0},
        {"temperature": -1.0},
        {"top_p": 0.0},
        {"top_k": -1},
        {"repeat_penalty": 0.0},
        {"seed": -1},
        {"seed": 2**32 - 1},
        {"stop": ("",)},
        {"mode": "quick"},
        {"role": "robot"},
    ],
)
def test_parameters_that_no_model_can_follow(warm: Engine, settings: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        told(warm.generate(asked(FAKE, **settings)))


def test_a_conversation_needs_a_message(warm: Engine) -> None:
    with pytest.raises(BadInput, match="there are none"):
        told(warm.generate(Generate(model=FAKE, messages=())))


def test_cancelling_ends_the_answer_and_the_next_one_comes(warm: Engine, stories: str) -> None:
    job = Job("Ask")
    parts = warm.generate(asked(stories, max_tokens=1500), job)
    next(parts)
    job.cancel()
    with pytest.raises(Cancelled):
        list(parts)
    assert told(warm.generate(asked(stories, max_tokens=3)))[1].tokens == 3


def test_closing_the_answer_early_leaves_the_model_usable(warm: Engine, stories: str) -> None:
    parts = warm.generate(asked(stories, max_tokens=1500))
    next(parts)
    parts.close()
    assert told(warm.generate(asked(stories, max_tokens=3)))[1].tokens == 3


def test_several_threads_may_ask_at_once(warm: Engine, stories: str) -> None:
    expected, _ = told(warm.generate(asked(stories, max_tokens=20)))
    found: list[str] = []

    def ask() -> None:
        found.append(told(warm.generate(asked(stories, max_tokens=20)))[0])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


# -- what goes wrong ----------------------------------------------------------------------------------------------------------------


def test_a_worker_killed_in_the_middle_costs_one_answer(
    engine: Engine, stories: str, supervisor: Supervisor, models: Models
) -> None:
    expected, _ = told(engine.generate(asked(stories, max_tokens=20)))
    parts = engine.generate(asked(stories, max_tokens=1500))
    next(parts)
    os.kill(engine.loaded()[0].pid, signal.SIGKILL)
    with pytest.raises(WorkerFailed, match="The model stories stopped"):
        list(parts)
    assert told(engine.generate(asked(stories, max_tokens=20)))[0] == expected
    engine.unload(stories)


def test_a_file_that_keeps_crashing_is_not_tried_again(engine: Engine, stories: str) -> None:
    for _ in range(CRASHES):
        told(engine.generate(asked(stories, max_tokens=1)))
        parts = engine.generate(asked(stories, max_tokens=1500))
        next(parts)
        os.kill(engine.loaded()[0].pid, signal.SIGKILL)
        with pytest.raises(WorkerFailed):
            list(parts)
    with pytest.raises(WorkerFailed, match="is not tried again"):
        told(engine.generate(asked(stories, max_tokens=1)))
    engine.unload(stories)
    assert told(engine.generate(asked(stories, max_tokens=1)))[1].tokens == 1


def test_a_file_that_changed_is_not_used(engine: Engine, models: Models, stories_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(stories_file.read_bytes() + b"mine")
    models.add(AddModel(path=str(path), name="mine"))
    assert told(engine.generate(asked("mine", max_tokens=1)))[1].tokens == 1
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(Changed, match="the file changed"):
        told(engine.generate(asked("mine", max_tokens=1)))
    path.unlink()
    with pytest.raises(NotFound, match="mine"):
        told(engine.generate(asked("mine", max_tokens=1)))


def test_weights_that_are_no_numbers_are_an_error(
    engine: Engine, models: Models, stories_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "broken.gguf"
    content = bytearray(stories_file.read_bytes())
    content[-400_000:] = b"\xff" * 400_000
    path.write_bytes(content)
    models.add(AddModel(path=str(path), name="broken"))
    with pytest.raises(Damaged, match="broken: it computes no usable numbers"):
        told(engine.generate(asked("broken", max_tokens=5)))


def test_an_unknown_model(warm: Engine) -> None:
    with pytest.raises(NotFound, match="There is no model nobody"):
        told(warm.generate(asked("nobody")))


# -- vectors ------------------------------------------------------------------------------------------------------------------------

TEXTS = (
    "The patient reported a headache after the second dose.",
    "A head pain was noted following the next administration.",
    "The quarterly report of the bank was published on Monday.",
)

REFERENCE = [
    [-0.02014, 0.00309, -0.03601, 0.05684, -0.05783, -0.04687, 0.02504, 0.07229],
    [0.03448, -0.02381, 0.03699, 0.04635, 0.03753, 0.03524, -0.0107, 0.01204],
    [0.05166, 0.0445, -0.08382, 0.07106, -0.03081, 0.00749, -0.1067, 0.04059],
]
"""The first components of the float32 model's vectors of `TEXTS`, computed with transformers from the same weights."""


def test_vectors_have_length_one_and_meaning(warm: Engine, embedder: str) -> None:
    vectors = warm.embed(TEXTS, embedder)
    assert (vectors.dtype, vectors.shape) == (np.float32, (3, warm.dimensions(embedder)))
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)
    same, other = float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])
    assert same > 0.5 > other + 0.2


def test_a_vector_depends_on_its_text_only(warm: Engine, embedder: str) -> None:
    alone = np.concatenate([warm.embed([text], embedder) for text in TEXTS])
    assert np.array_equal(warm.embed(list(TEXTS) * 30, embedder)[:3], alone)


def test_vectors_agree_with_the_original_weights(warm: Engine, embedder: str) -> None:
    reference = np.array(REFERENCE)
    found = warm.embed(TEXTS, embedder)[:, : reference.shape[1]]
    assert np.abs(found - reference).max() < 0.005


def test_no_texts_give_no_vectors(warm: Engine, embedder: str) -> None:
    assert warm.embed([], embedder).shape == (0, 384)
    assert warm.count_tokens([], embedder) == []


def test_tokens_are_counted_and_a_long_text_is_refused(warm: Engine, embedder: str) -> None:
    assert warm.window(embedder) == 512
    assert warm.count_tokens(["", "hello", "hello world"], embedder) == [2, 3, 4]
    fits, long = "word " * 510, "word " * 511
    assert warm.count_tokens([fits, long], embedder) == [512, 513]
    assert warm.embed([fits], embedder).shape == (1, 384)
    with pytest.raises(BadInput, match="Text 2: 513 tokens, but the window of starter-embed holds 512"):
        warm.embed([fits, long], embedder)


def test_words_that_look_special_are_only_words(warm: Engine, embedder: str) -> None:
    assert warm.count_tokens(["[SEP] [CLS]"], embedder)[0] > 4


def test_each_kind_of_model_does_its_own_work(warm: Engine, embedder: str, stories: str) -> None:
    with pytest.raises(Unsupported, match="starter-embed: it writes no text"):
        told(warm.generate(asked(embedder)))
    with pytest.raises(Unsupported, match="stories: it makes no vectors"):
        warm.embed(TEXTS, stories)
    assert warm.count_tokens(["Once upon a time"], stories) == [5]


def test_cancelling_ends_the_embedding(warm: Engine, embedder: str) -> None:
    job = Job("Embed")
    timer = threading.Timer(0.5, job.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        warm.embed(["word " * 400] * 500, embedder, job)
    assert warm.embed(["word"], embedder).shape == (1, 384)


# -- templates without a model ------------------------------------------------------------------------------------------------------


def test_messages_are_rendered(warm: Engine) -> None:
    messages = (Message(role="system", content="Be {{ how }}."), Message(role="user", content="{{ q }}"))
    assert warm.render(messages, {"how": "brief", "q": "Why?"})[1].content == "Why?"
    with pytest.raises(TemplateError, match="line 1: 'how' is undefined"):
        warm.render(messages, {"q": "Why?"})
    assert warm.check_template("handbook", "{{ a }}") == ("a",)
    with pytest.raises(TemplateError, match="handbook, line 2: "):
        warm.check_template("handbook", "one\n{{ a")


def test_a_hostile_template_costs_one_error(warm: Engine) -> None:
    bomb = "{% set n = namespace(t='x' * 1000) %}{% for i in range(40) %}{% set n.t = n.t ~ n.t %}{% endfor %}"
    with pytest.raises(AssayError):
        warm.render((Message(role="user", content=bomb),), {})
    assert warm.render((Message(role="user", content="fine"),), {})[0].content == "fine"


def test_requests_in_fast_mode_run_together_through_the_worker(warm: Engine, stories: str) -> None:
    def ask(number: int, **settings: object) -> list[Token]:
        text = f"Once upon a time there were {number} little birds"
        parts = warm.generate(asked(stories, text, **({"max_tokens": 30} | settings)))
        return [part for part in parts if isinstance(part, Token)]

    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(lambda number: ask(number, mode="fast"), range(12)))
    for number, found in enumerate(together):
        assert same("".join(token.text for token in found), ask(number, log_probabilities=2))


def test_a_killed_worker_fails_all_its_requests_and_the_next_one_works(engine: Engine, stories: str) -> None:
    request = Generate(model=stories, messages=(Message(role="text", content="Once"),), max_tokens=1000, mode="fast")
    running = [engine.generate(request) for _ in range(4)]
    for stream in running:
        next(stream)
    os.kill(engine.loaded()[0].pid, signal.SIGKILL)
    for stream in running:
        with pytest.raises(WorkerFailed):
            list(stream)
    *_, end = engine.generate(request)
    assert isinstance(end, Finished)


def test_a_line_too_long_is_refused(engine: Engine, stories: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.inference.pool.MOST_WAITING", 2)
    request = Generate(model=stories, messages=(Message(role="text", content="Once"),), max_tokens=1000, mode="fast")
    streams = [engine.generate(request) for _ in range(3)]
    next(streams[0])
    next(streams[1])
    with pytest.raises(Unavailable, match="wait for"):
        next(streams[2])
    for stream in streams:
        stream.close()


def test_what_is_loaded_says_its_memory_and_its_speed(engine: Engine, stories: str) -> None:
    told(engine.generate(asked(stories, max_tokens=30)))
    (loaded,) = engine.loaded()
    assert loaded.tokens_per_second > 1
    if Path("/proc/self/statm").exists():
        assert 10 * 2**20 < loaded.resident < 2**31


def test_fifty_reproducible_requests_give_the_same_bytes_whatever_runs_beside_them(
    engine: Engine, stories: str
) -> None:
    request = asked(stories, "Tom had a red ball. One day", max_tokens=24, temperature=0.8, seed=11)
    first = told(engine.generate(request))[0]
    stop = threading.Event()

    def noise() -> None:
        while not stop.is_set():
            told(engine.generate(asked(stories, "Lily saw a cat", max_tokens=20, mode="fast")))

    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(noise)
        try:
            same = [told(engine.generate(request))[0] for _ in range(25)]
        finally:
            stop.set()
        beside.result()
    engine.unload(stories)
    same += [told(engine.generate(request))[0] for _ in range(25)]
    assert same == [first] * 50
