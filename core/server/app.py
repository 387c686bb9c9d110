"""The API as an ASGI application: routes, bodies, streams. What is asked for is computed elsewhere, on threads (`work`)."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from core.errors import AssayError
from core.records import Json, Record
from core.server import catalogue
from core.server.chat import chat
from core.server.completions import completions
from core.server.connections import CONNECTION, Connection
from core.server.gate import OPEN, Gate
from core.server.problems import INVALID, Problem, problem
from core.server.running import Running, new_id
from core.server.vectors import embeddings, rerank
from core.server.work import Handler, Item, Piece, Whole, Work
from core.vault.api_tokens import ApiToken
from core.workbench import Workbench

LARGEST_BODY: Final = 4 * 1024 * 1024
BODY_SECONDS: Final = 30.0
POSTS: Final[Mapping[str, Handler]] = {
    "/v1/chat/completions": chat,
    "/v1/completions": completions,
    "/v1/embeddings": embeddings,
    "/v1/rerank": rerank,
}
KNOWN: Final = (*POSTS, "/v1/models", OPEN)
_ALWAYS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
JSON: Final = b"application/json"
EVENTS: Final = b"text/event-stream; charset=utf-8"


class Line(Record, frozen=True, kw_only=True):
    """One request in the live log: never what was asked or answered."""

    time: float
    """Seconds since 1970."""
    method: str
    path: str
    """One of `KNOWN`, or "other": an address may hold content too."""
    status: int
    seconds: float
    token: str
    """The token's name; empty where there was none in force."""
    request_id: str


class Api:
    """The application. An ASGI callable: the gate, then the routes."""

    def __init__(self, bench: Workbench, gate: Gate, work: Work, log: Callable[[Line], None]) -> None:
        self._bench = bench
        self._gate = gate
        self._work = work
        self._log = log
        self._routes = Starlette(
            routes=[
                Route(OPEN, _health),
                Route("/v1/models", self._models),
                Route("/v1/models/{name:path}", self._model),
                *(Route(path, _Post(self, path, handler), methods=["POST"]) for path, handler in POSTS.items()),
            ],
            exception_handlers={HTTPException: _unknown},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request_id, began, status = new_id(), time.monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *_ALWAYS, (b"x-request-id", request_id.encode())]
            await send(message)

        found = self._gate.check(scope["path"], scope["headers"])
        token = found.name if isinstance(found, ApiToken) else ""
        scope["assay"] = (token, request_id)
        try:
            if isinstance(found, Problem):
                await _answer(sending, found)
            else:
                await self._routes(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 (a fault in here ends this request and nothing else)
            if not status:
                await _answer(sending, problem(error))
        finally:
            path = scope["path"] if scope["path"] in KNOWN else "other"
            if path == "other" and scope["path"].startswith("/v1/models/"):
                path = "/v1/models"
            line = Line(
                time=time.time(),
                method=scope["method"] if scope["method"] in ("GET", "POST", "OPTIONS", "HEAD") else "other",
                path=path,
                status=status,
                seconds=time.monotonic() - began,
                token=token,
                request_id=request_id,
            )
            self._log(line)

    async def post(self, path: str, handler: Handler, scope: Scope, receive: Receive, send: Send) -> None:
        """One call."""
        body = await _body(scope, receive)
        if isinstance(body, Problem):
            await _answer(send, body)
            return
        token, request_id = scope["assay"]
        running = Running(bench=self._bench, path=path, token=token, request_id=request_id)
        bridge = self._work.start(running, handler, body, asyncio.get_running_loop())
        watching = asyncio.create_task(_watch(receive, running))
        begun = over = False
        connection: Connection | None = scope.get(CONNECTION)

        def now(item: Item) -> bool:
            return isinstance(item, Piece) and connection is not None and connection.piece(item.body)

        try:
            while not over:
                pieces = []
                for item in await bridge.take(now if begun else None):
                    if isinstance(item, Whole):
                        await _send_whole(send, item)
                    elif isinstance(item, Piece):
                        pieces.append(item.body)
                    else:
                        over = True
                if pieces and not begun:
                    begun = True
                    await send(_start(200, EVENTS))
                if begun:
                    await send({"type": "http.response.body", "body": b"".join(pieces), "more_body": not over})
        finally:
            running.job.cancel()  # where it hasn't ended, nobody waits for it any more
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    async def _models(self, request: Request) -> Response:
        found = await asyncio.to_thread(catalogue.listed, self._bench)
        return _json({"object": "list", "data": found})

    async def _model(self, request: Request) -> Response:
        name = str(request.path_params["name"])

        def described() -> dict[str, Json]:
            return catalogue.described(catalogue.target(self._bench, name))

        try:
            return _json(await asyncio.to_thread(described))
        except AssayError as error:
            return _problem_response(problem(error))


class _Post:
    """An endpoint as Starlette's routes take it: an application of its own."""

    def __init__(self, api: Api, path: str, handler: Handler) -> None:
        self._api, self._path, self._handler = api, path, handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._api.post(self._path, self._handler, scope, receive, send)


async def _health(request: Request) -> Response:
    return _json({"status": "ok"})


async def _unknown(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    told = {
        404: "There is no such address here. GET /v1/models and POST /v1/chat/completions are two that there are.",
        405: "This address takes another method.",
    }
    message = told.get(status, "The request can't be answered.")
    return _problem_response(Problem(status=status, message=message, type=INVALID, code="unknown_url"))


async def _watch(receive: Receive, running: Running) -> None:
    """Stop the call when its program is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    running.job.cancel()


async def _body(scope: Scope, receive: Receive) -> bytes | Problem:
    """The body, or why it isn't taken."""
    headers = dict(scope["headers"])
    if headers.get(b"content-type", b"").split(b";")[0].strip().lower() != JSON:
        return Problem(status=415, message="Send JSON, with Content-Type: application/json.", code="content_type")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        return Problem(status=415, message="Send the body as it is, without compression.", code="content_encoding")
    parts: list[bytes] = []
    size = 0
    length = headers.get(b"content-length", b"0")
    too_large = Problem(
        status=413, message=f"The body is over {LARGEST_BODY:,} bytes. Send less at once.", code="too_large"
    )
    if length.isdigit() and int(length) > LARGEST_BODY:
        return too_large
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return Problem(status=499, message="The program is gone.", code="cancelled")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > LARGEST_BODY:
                    return too_large
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        return Problem(status=408, message="The body came too slowly. Send it again.", code="timeout")


async def _answer(send: Callable[[Message], Awaitable[None]], found: Problem) -> None:
    more = [(b"www-authenticate", b"Bearer")] if found.status == 401 else []
    await _send_whole(send, Whole(found.status, msgspec.json.encode(found.content()), found.retry_after), more)


async def _send_whole(
    send: Callable[[Message], Awaitable[None]], item: Whole, more: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [(b"content-length", str(len(item.body)).encode()), *(more or [])]
    if item.retry_after:
        headers.append((b"retry-after", str(item.retry_after).encode()))
    await send(_start(item.status, JSON, headers))
    await send({"type": "http.response.body", "body": item.body})


def _start(status: int, kind: bytes, more: list[tuple[bytes, bytes]] | None = None) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": [(b"content-type", kind), *(more or [])]}


def _json(content: dict[str, Json]) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")


def _problem_response(found: Problem) -> Response:
    return Response(msgspec.json.encode(found.content()), status_code=found.status, media_type="application/json")
