"""The guard: what stands between the network and the app.

A server on this machine can be reached by every page that this machine's browser shows. So a
request must name us as its host (or a page could reach us under a name of its own, which is DNS
rebinding), must not come from another page, and must show the token wherever something is kept or
trained. Bodies have a limit that holds however they are sent; when there is too much to do, new
requests are told so at once; and whatever goes wrong, the answer is `{"error": "…"}`.

It speaks ASGI itself: a layer that sees every part of a body as it comes.
"""

from __future__ import annotations

import asyncio
import hmac
import html
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs

__all__ = ["Guard", "cookie_name"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOSTS = ("127.0.0.1", "localhost", "[::1]")
PICTURES = ("/api/read", "/api/lab/explain")  # where a picture may be sent
PICTURE_LIMIT = 32 << 20  # bytes
LIMIT = 1 << 20
AT_ONCE = 64  # requests under way or waiting, of programs, and as many of the page
BODY_SECONDS = 20  # for a whole body: on this machine 32 MB take a tenth of one
STREAMS = 32  # of events; each is open as long as its page is
RETRY_SECONDS = 1
SAFE = ("GET", "HEAD", "OPTIONS")
COOKIE_SECONDS = 400 * 24 * 3600  # as long as browsers keep any

SECURITY = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

LOG = logging.getLogger("inkdigits.lab")


def cookie_name(port: int) -> str:
    """Of the cookie with the token: cookies know no ports, and there may be several labs."""
    return f"inkdigits-{port}"


class Refusal(Exception):
    """A request that goes no further.

    Args:
        status: of the answer.
        error: what was expected, what came and what to do.
        headers: of the answer besides.
    """

    def __init__(self, status: int, error: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.headers = headers or {}


class Guard:
    """An ASGI app around the lab's.

    Args:
        app: what is guarded.
        port: on which it is served.
        token: what opens `/api/lab/`; None where there is no such part.
    """

    def __init__(self, app: App, *, port: int, token: str | None) -> None:
        self.app = app
        self.port = port
        self.token = token
        names = {f"{host}:{port}" for host in HOSTS}
        self.hosts = {*names, *HOSTS}
        self.origins = {f"http://{name}" for name in (self.hosts if port == 80 else names)}
        self._under_way = {"programs": 0, "page": 0, "streams": 0}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or lets the app do so."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        answer = Answer(scope, send)
        headers = {
            key.decode("latin-1").lower(): v.decode("latin-1") for key, v in scope["headers"]
        }
        try:
            self.check_sender(scope["method"], headers)
            if await self.let_in(scope, answer):
                return
            self.check_token(scope["path"], headers)
            limit = PICTURE_LIMIT if scope["path"] in PICTURES else LIMIT
            check_declared(headers, limit)
            await self.counted(scope, Body(receive, answer, limit), answer)
        except Refusal as refusal:
            await answer.refuse(refusal)

    def check_sender(self, method: str, headers: dict[str, str]) -> None:
        """Whether it is us who are asked, and not by a page from elsewhere."""
        host = headers.get("host", "")
        if host.lower() not in self.hosts:
            raise Refusal(
                403,
                f"expected the host 127.0.0.1:{self.port}, got {host!r:.80}: "
                "ask the lab on its own machine, under its own address",
            )
        origin = headers.get("origin")
        foreign = origin is not None and origin.lower() not in self.origins
        crossing = method not in SAFE and headers.get("sec-fetch-site") == "cross-site"
        if foreign or crossing:
            raise Refusal(
                403,
                f"expected a request from the lab's own page or a program, got one from "
                f"{origin or 'another page'!r:.80}: open the lab itself",
            )

    async def let_in(self, scope: Scope, answer: Answer) -> bool:
        """Answers `/?token=…`; False where there is no token in the address.

        The cookie stands in for the token from then on, which so leaves the address bar.
        """
        if self.token is None or scope["path"] != "/" or scope["method"] not in SAFE:
            return False
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if "token" not in query:
            return False
        if not self.knows(query["token"][0]):
            raise Refusal(
                401,
                "expected the token of this lab, got another: open the address that "
                "`inkdigits lab` printed when it started",
            )
        cookie = (
            f"{cookie_name(self.port)}={self.token}; Path=/; Max-Age={COOKIE_SECONDS}; "
            "HttpOnly; SameSite=Strict"
        )
        await answer.whole(303, b"", {"location": "/", "set-cookie": cookie})
        return True

    def check_token(self, path: str, headers: dict[str, str]) -> None:
        if self.token is None or not path.startswith("/api/lab"):
            return
        kind, _, shown = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.knows(shown.strip()):
            return
        # By hand: other programs on this host leave cookies that Python's parser stumbles over.
        for cookie in headers.get("cookie", "").split(";"):
            name, _, value = cookie.partition("=")
            if name.strip() == cookie_name(self.port) and self.knows(value.strip()):
                return
        raise Refusal(
            401,
            "expected the lab's token, in its cookie or as Authorization: Bearer …, got none or "
            "another: open the address that `inkdigits lab` printed when it started",
            {"www-authenticate": "Bearer"},
        )

    def knows(self, shown: str) -> bool:
        token = self.token or ""
        return hmac.compare_digest(shown.encode("utf-8", "replace"), token.encode())

    async def counted(self, scope: Scope, receive: Body, answer: Answer) -> None:
        """Runs the app, unless so much is under way already that this would only wait."""
        path = scope["path"]
        if not path.startswith("/api/"):
            return await self.run(scope, receive, answer)
        kind, most, what = "programs", AT_ONCE, "requests at a time"
        if path.startswith("/api/lab/"):  # the page goes on while programs keep the reader busy
            kind = "page"
            if path.endswith("/events"):
                kind, most, what = "streams", STREAMS, "event streams"
        if self._under_way[kind] >= most:
            raise Refusal(
                503,
                f"expected at most {most} {what}, got one more: try again in a second",
                {"retry-after": str(RETRY_SECONDS)},
            )
        self._under_way[kind] += 1
        try:
            await self.run(scope, receive, answer)
        finally:
            self._under_way[kind] -= 1

    async def run(self, scope: Scope, receive: Body, answer: Answer) -> None:
        try:
            await self.app(scope, receive, answer)
        except asyncio.CancelledError:  # the server's time to end is up
            again = {"retry-after": str(RETRY_SECONDS)}
            raise Refusal(503, "the lab is about to end: ask the next one", again) from None
        except Exception as error:
            if receive.refused or receive.gone:  # the app was cut off, and says so
                return
            LOG.exception("%s %s failed", scope["method"], scope["path"])
            if answer.started:
                raise  # half an answer: the server closes the connection
            raise Refusal(
                500,
                f"expected no error in the lab itself, got {type(error).__name__}: "
                "please report it, with what the terminal says",
            ) from error


def check_declared(headers: dict[str, str], limit: int) -> None:
    declared = headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise Refusal(400, f"expected a whole number as Content-Length, got {declared!r:.80}")
    if int(declared[:20]) > limit:
        raise too_large(limit)


def too_large(limit: int) -> Refusal:
    return Refusal(
        413, f"expected a body of {limit >> 20} MB or less, got more: send a smaller one"
    )


class Body:
    """The body of a request as it comes in, counted and timed: what is too much ends as if cut off.

    The client is told at once, and the app sees a client that has gone: nothing more is kept. The
    server throws the rest of the body away as it arrives.
    """

    def __init__(self, receive: Receive, answer: Answer, limit: int) -> None:
        self._receive = receive
        self._answer = answer
        self._limit = limit
        self._came = 0
        self._whole = False
        self._deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        self.refused = False
        self.gone = False

    async def __call__(self) -> Message:
        """The next message to the app."""
        if self.refused:
            return {"type": "http.disconnect"}
        try:  # who has sent all of it may wait for the answer as long as it takes
            async with asyncio.timeout_at(None if self._whole else self._deadline):
                message = await self._receive()
        except TimeoutError:
            return await self.cut_off(
                Refusal(408, f"expected a whole body within {BODY_SECONDS} seconds, got a part")
            )
        self._whole = not message.get("more_body", False)
        self.gone = message["type"] == "http.disconnect"
        self._came += len(message.get("body", b""))
        if self._came > self._limit:
            return await self.cut_off(too_large(self._limit))
        return message

    async def cut_off(self, refusal: Refusal) -> Message:
        self.refused = True
        await self._answer.refuse(refusal)
        return {"type": "http.disconnect"}


class Answer:
    """What is sent back: with the headers that every answer has, and once only."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._path: str = scope["path"]
        self._page = wants_page(scope)
        self._send = send
        self.started = False
        self._closed = False

    async def __call__(self, message: Message) -> None:
        """Sends what the app says, unless the client was told something else already."""
        if self._closed:
            return
        if message["type"] == "http.response.start":
            self.started = True
            message = {**message, "headers": self.with_usual(message.get("headers", ()))}
        await self._send(message)

    def with_usual(self, given: Any) -> list[tuple[bytes, bytes]]:
        headers = list(given)
        there = {key.lower() for key, _ in headers}
        usual = {**SECURITY, "cache-control": "no-cache"}
        if self._path.startswith("/api/"):
            usual["cache-control"] = "no-store"
        return headers + [
            (key.encode(), value.encode())
            for key, value in usual.items()
            if key.encode() not in there
        ]

    async def refuse(self, refusal: Refusal) -> None:
        """Answers with an error, if nothing was answered so far."""
        if self.started or self._closed:
            return
        if self._page:
            text = html.escape(refusal.error)
            page = f'<!doctype html><html lang="en"><title>inkdigits</title><p>{text}</p></html>'
            body, kind = page.encode(), "text/html; charset=utf-8"
        else:
            body, kind = json.dumps({"error": refusal.error}).encode(), "application/json"
        await self.whole(refusal.status, body, {"content-type": kind, **refusal.headers})
        self._closed = True

    async def whole(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """An answer of the guard's own."""
        length = {"content-length": str(len(body))}
        raw = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in {**length, **headers}.items()]
        await self({"type": "http.response.start", "status": status, "headers": raw})
        await self({"type": "http.response.body", "body": body})


def wants_page(scope: Scope) -> bool:
    """Whether a person waits for a page, who is better told in one."""
    accepts = b",".join(value for key, value in scope["headers"] if key.lower() == b"accept")
    return scope["path"] == "/" and b"text/html" in accepts
