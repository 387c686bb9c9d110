"""One call while it is worked on: what it may use, how it is stopped, and what its trace will say."""

import secrets
import time
from dataclasses import dataclass, field

from core.assistants.api_calls import ApiCall
from core.inference.records import Finished
from core.jobs import Job
from core.records import Json, now
from core.workbench import Workbench


@dataclass
class Running:
    """A call. The thread that works on it fills in what it learns; `trace` tells it."""

    bench: Workbench
    path: str
    token: str
    request_id: str
    job: Job = field(default_factory=lambda: Job("The call"))
    created: int = field(default_factory=lambda: int(time.time()))
    began: str = field(default_factory=now)
    started: float = field(default_factory=time.monotonic)
    request: str = ""
    model: str = ""
    model_digest: str = ""
    mode: str = ""
    texts: list[list[str]] = field(default_factory=list)
    """The pieces of each answer, as they came."""
    finish: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    rendered: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    first_token_seconds: float = 0.0
    backend: str = ""
    adapters: tuple[str, ...] = ()
    answer: str = ""

    def ended(self, last: Finished, new_prompt: bool = True) -> None:
        """One answer is whole. `new_prompt`: its prompt isn't that of the answer before."""
        self.finish.append(last.reason)
        self.tokens += last.tokens
        if new_prompt:
            self.prompt_tokens += last.prompt_tokens
            self.rendered = last.prompt if not self.rendered else f"{self.rendered}\n\x1e\n{last.prompt}"
        self.first_token_seconds = self.first_token_seconds or last.first_token_seconds
        self.backend = last.backend
        self.adapters = tuple(f"{use.model} {use.scale:g}" for use in last.adapters)

    def trace(self, status: int, problem: str = "") -> ApiCall:
        """What is kept of it."""
        return ApiCall(
            path=self.path,
            request_id=self.request_id,
            token=self.token,
            began=self.began,
            request=self.request,
            status=status,
            problem=problem,
            model=self.model,
            model_digest=self.model_digest,
            rendered=self.rendered,
            answers=tuple("".join(pieces) for pieces in self.texts),
            finish=tuple(self.finish),
            seeds=tuple(self.seeds),
            mode=self.mode,
            prompt_tokens=self.prompt_tokens,
            tokens=self.tokens,
            first_token_seconds=self.first_token_seconds,
            seconds=time.monotonic() - self.started,
            backend=self.backend,
            adapters=self.adapters,
            answer=self.answer,
        )

    def usage(self) -> dict[str, Json]:
        """Tokens so far, in OpenAI's form."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.tokens,
            "total_tokens": self.prompt_tokens + self.tokens,
        }

    def head(self, object_: str, prefix: str) -> dict[str, Json]:
        """How every answer to this call begins."""
        return {
            "id": f"{prefix}-{self.request_id.removeprefix('req-')}",
            "object": object_,
            "created": self.created,
            "model": self.model,
        }


def new_id() -> str:
    """A request's id."""
    return f"req-{secrets.token_hex(12)}"
