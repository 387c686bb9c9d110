"""Pictures of the page of the local API and of a trace's tokens, for the command of `shots`."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from app.bridge.models import Memory
from app.bridge.seeing import Seen
from app.main_window import MainWindow
from app.pages.answers import TracePanel
from core.assistants.records import Answer, Question
from core.documents.records import AddDocuments
from core.errors import AlreadyExists
from core.inference.records import Loaded, PromptToken, PromptTokens
from core.jobs import Job
from core.server.app import Line
from core.vault import api_tokens
from core.vault.api_tokens import MakeToken

ASKED = (
    ("GET", "/v1/models", 200, 0.004, "notebook"),
    ("POST", "/v1/chat/completions", 200, 3.214, "notebook"),
    ("POST", "/v1/embeddings", 200, 0.142, "nightly-evaluation"),
    ("POST", "/v1/chat/completions", 429, 0.001, "nightly-evaluation"),
    ("GET", "other", 401, 0.001, ""),
)


def api(then: Callable[[MainWindow], None] = lambda window: None, tokens: bool = True) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        from tests.unit.app.shots import wait

        for name in ("notebook", "nightly-evaluation", "an-old-one") if tokens else ():
            try:
                api_tokens.make(window.operations.workbench.vault, MakeToken(name=name, tokens_per_day=200_000))  # type: ignore[union-attr]
            except AlreadyExists:
                continue
            if name == "an-old-one":
                api_tokens.revoke(window.operations.workbench.vault, name)  # type: ignore[union-attr]
        window.go("api")
        wait(window)
        then(window)

    return show


def running(window: MainWindow) -> None:
    lines = tuple(
        Line(
            time=time.time() - 60 + number,
            method=method,
            path=path,
            status=status,
            seconds=seconds,
            token=token,
            request_id=f"req-{number}",
        )
        for number, (method, path, status, seconds, token) in enumerate(ASKED * 3)
    )
    page = window.page
    page.api = SimpleNamespace(port=11535, address="http://127.0.0.1:11535/v1", running=2, lines=lambda: lines)  # type: ignore[union-attr]
    page._say()  # type: ignore[union-attr]


def status(window: MainWindow) -> None:
    """The status bar while the API runs and models are in memory."""
    running(window)
    held = [Loaded(name=name, digest=name, pid=1, context=1, start_seconds=0, backend="", memory=memory) for name, memory in (("corvid-1.5b", 3_900_000_000), ("rook-embed", 140_000_000))]  # fmt: skip  # noqa: E501
    window.watching.end()
    window.watching.say_models(Memory(tuple(held), 6_000_000_000))
    window.status.show_api(11535, 2, 41)


def secret(window: MainWindow) -> None:
    with window.operations.workbench.vault.read() as reader:  # type: ignore[union-attr]
        one = api_tokens.tokens(reader)[0]
    window.page.show_secret(one, api_tokens.PREFIX + "Zk3vT9xQ0cYp7LmA2sWd8RfE5uHj1NbG4oXiKtUqV6M")  # type: ignore[union-attr]


def trace_tokens(window: MainWindow) -> None:
    """The tokens of an answer's prompt."""
    answer = Answer(
        question=Question(collection="safety", text="How soon?", model="corvid-1.5b", mode="fast"),
        answer="Within 24 hours.",
        abstained=False,
        citations=(),
        passages=(),
        sentences=1,
        unsupported=(),
        best_score=0.0,
        needed_score=0.0,
        model="corvid-1.5b",
        model_digest="ab" * 32,
        prompt_digest="cd" * 32,
        rendered="Use only the passages.",
        finish="stop",
        tokens=21,
        prompt_tokens=3,
        first_token_seconds=0.5,
        seconds=1.5,
        backend="llama.cpp b6700, AVX2, 2 threads",
    )
    words = [("<|im_start|>", True, None), ("system", False, None), ("\n", False, None)]
    words += [(f"{word} ", False, 0) for word in "Use only the passages and cite them by their numbers .".split()]
    words += [("<|im_end|>", True, None), ("\n", False, None), ("<|im_start|>", True, None), ("user\n", False, None)]
    text = (
        "[ 1 ] The investi gator reports every serious adverse event within 24 hours .\n How soon must a site report ?"
    )
    words += [(f"{word} ", False, 1) for word in text.split(" ")]
    words += [
        ("<|im_end|>", True, None),
        ("\n", False, None),
        ("<|im_start|>", True, None),
        ("assistant\n", False, None),
    ]
    tokens = tuple(
        PromptToken(id=100 + number, text=text, special=special, message=message)
        for number, (text, special, message) in enumerate(words)
    )
    panel = TracePanel(answer)
    window.open_dialog(panel, 720)
    panel.turn("tokens")
    panel.show_seen(Seen(PromptTokens(prompt="", tokens=tokens, window=4096), ("system", "user"), True))


def compared(window: MainWindow) -> None:
    """Two answers beside each other, in a workbench in memory."""
    from tests.unit.app.shots import wait
    from tests.unit.app.standin import StandIn

    bench = StandIn(Path(tempfile.mkdtemp()) / "Drug safety.assay")
    bench.vault.folder.mkdir(parents=True)
    bench.documents.add(AddDocuments(collection="safety", paths=("SOP-PV-014.pdf",)), Job("Add"))
    window.operations._workbench = bench  # type: ignore[assignment]
    window.go("chat")
    wait(window)
    window.page.side_by_side.click()  # type: ignore[union-attr]
    window.page.comparison.composer.setPlainText("How soon must a site report a serious adverse event?")  # type: ignore[union-attr]
    window.page.comparison.ask()  # type: ignore[union-attr]
    wait(window)


SCENES: dict[str, Callable[[MainWindow], None]] = {
    "api": api(),
    "api-running": api(running),
    "api-status": api(status),
    "api-token": api(lambda window: window.page.make.click()),  # type: ignore[union-attr]
    "api-secret": api(secret),
    "trace-tokens": trace_tokens,
    "compare": compared,
}
