"""The guard: who may ask, what they must show, how much they may send, and how many at a time."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from inkdigits.lab import guard
from inkdigits.lab.guard import (
    AT_ONCE,
    LIMIT,
    PICTURE_LIMIT,
    SECURITY,
    STREAMS,
    Guard,
    cookie_name,
)
from inkdigits.lab.store import Store

Errs = Callable[..., str]
TOKEN = "0123456789abcdef" * 2
PORT = 8765
OPEN = ["/", "/openapi.json", "/api/models", "/api/models/reader"]
CLOSED = [
    ("GET", "/api/lab/state"),
    ("PUT", "/api/lab/state"),
    ("POST", "/api/lab/explain"),
    ("GET", "/api/lab/corrections"),
    ("GET", "/api/lab/runs"),
    ("POST", "/api/lab/runs"),
    ("GET", "/api/lab/nothing"),
    ("GET", "/api/lab"),
]

# Who asks


@pytest.mark.slow
@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LocalHost"])
def test_the_lab_answers_under_its_own_names(stranger: TestClient, host: str) -> None:
    assert stranger.get("/api/models", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1:9999", "127.0.0.1.evil.example", ""]
)
def test_a_foreign_host_is_refused_everywhere(client: TestClient, errs: Errs, host: str) -> None:
    for path in (*OPEN, "/api/lab/state"):
        said = errs(client.get(path, headers={"host": host}), 403)
        assert "expected the host 127.0.0.1:8765, got" in said, path


@pytest.mark.slow
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:9999",
        "https://127.0.0.1:8765",
        "http://localhost",
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/api/read"), ("GET", "/api/lab/state")])
def test_a_foreign_origin_is_refused(
    client: TestClient, errs: Errs, origin: str, method: str, path: str
) -> None:
    said = errs(client.request(method, path, headers={"origin": origin}), 403)
    assert "the lab's own page or a program" in said


def test_our_own_origin_is_welcome(client: TestClient, picture: bytes) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]"):
        headers = {"origin": f"http://{host}:8765", "sec-fetch-site": "same-origin"}
        assert client.post("/api/read", content=picture, headers=headers).status_code == 200


def test_what_a_browser_calls_cross_site_changes_nothing(
    client: TestClient, errs: Errs, store: Store
) -> None:
    headers = {"sec-fetch-site": "cross-site"}
    errs(client.put("/api/lab/state", json={"a": 1}, headers=headers), 403)
    assert store.state() == {}
    assert client.get("/", headers=headers).status_code == 200  # a link somewhere leads here


@pytest.mark.slow
@pytest.mark.parametrize("path", [*OPEN, "/api/lab/state", "/nowhere"])
def test_no_answer_lets_other_pages_in(client: TestClient, path: str) -> None:
    for headers in ({}, {"origin": "http://127.0.0.1:8765"}, {"origin": "https://evil.example"}):
        came = client.get(path, headers=headers).headers
        assert not [name for name in came if name.startswith("access-control-")]
        assert {name: came[name] for name in SECURITY} == SECURITY
        assert came["cache-control"] == ("no-store" if path.startswith("/api/") else "no-cache")


def test_a_preflight_gets_no_permission(client: TestClient, errs: Errs) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "PUT"}
    errs(client.options("/api/lab/state", headers=headers), 403)
    del headers["origin"]
    errs(client.options("/api/lab/state", headers=headers), 405)


# The token


@pytest.mark.parametrize("path", OPEN)
def test_what_changes_nothing_needs_no_token(stranger: TestClient, path: str) -> None:
    assert stranger.get(path).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer " + "0" * 32},
        {"authorization": "Bearer"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"cookie": f"inkdigits-8765={'0' * 32}"},
        {"cookie": f"inkdigits-8766={TOKEN}"},
        {"cookie": "inkdigits-8765="},
        {"cookie": b"inkdigits-8765=\xff\xfe"},
    ],
)
def test_all_under_api_lab_needs_the_token(
    stranger: TestClient, errs: Errs, headers: dict[str, Any]
) -> None:
    for method, path in CLOSED:
        said = errs(stranger.request(method, path, headers=headers), 401)
        assert "open the address that `inkdigits lab` printed" in said, (method, path)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer  {TOKEN}"},
        {"cookie": f"inkdigits-8765={TOKEN}"},
        {"cookie": f'theirs={{"a": [1]}}; bad; inkdigits-8766=1; inkdigits-8765={TOKEN}'},
    ],
)
def test_the_token_opens_whichever_way_it_is_shown(
    stranger: TestClient, headers: dict[str, str]
) -> None:
    assert stranger.get("/api/lab/state", headers=headers).json() == {}


def test_the_address_with_the_token_gives_the_cookie_and_leads_to_the_page(
    stranger: TestClient,
) -> None:
    answer = stranger.get(f"/?token={TOKEN}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{cookie_name(PORT)}={TOKEN}; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert stranger.get("/api/lab/state").json() == {}  # the client keeps cookies


@pytest.mark.parametrize("token", ["", "0" * 32, TOKEN[:-1], "%ff%00", f"x&token={TOKEN}"])
def test_another_token_gets_words_and_no_cookie(
    stranger: TestClient, errs: Errs, token: str
) -> None:
    answer = stranger.get(f"/?token={token}", follow_redirects=False)
    assert "open the address" in errs(answer, 401)
    assert "set-cookie" not in answer.headers
    page = stranger.get(f"/?token={token}", headers={"accept": "text/html,*/*"})
    assert page.status_code == 401
    assert page.headers["content-type"].startswith("text/html")
    assert "open the address that `inkdigits lab` printed" in page.text


# How much


class Sender:
    """A client that would send a great deal; knows how much of it was taken."""

    def __init__(self, pieces: int, piece: bytes) -> None:
        self.pieces, self.piece, self.taken = pieces, piece, 0
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if self.taken >= self.pieces:
            return {"type": "http.request", "body": b"", "more_body": False}
        self.taken += 1
        return {"type": "http.request", "body": self.piece, "more_body": True}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(dict(message))

    @property
    def status(self) -> int:
        (start,) = [each for each in self.sent if each["type"] == "http.response.start"]
        return int(start["status"])

    @property
    def error(self) -> str:
        return str(json.loads(b"".join(each.get("body", b"") for each in self.sent))["error"])


def scope(method: str, path: str, **headers: str) -> dict[str, Any]:
    given = {"host": "127.0.0.1:8765", "authorization": f"Bearer {TOKEN}", **headers}
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8765),
        "client": ("127.0.0.1", 1),
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in given.items()],
    }


MULTIPART = "multipart/form-data; boundary=x"
FORM = b'--x\r\ncontent-disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("POST", "/api/read", PICTURE_LIMIT),
        ("POST", "/api/lab/explain", PICTURE_LIMIT),
        ("PUT", "/api/lab/state", LIMIT),
        ("POST", "/api/lab/corrections", LIMIT),
        ("POST", "/api/lab/look/activations", LIMIT),
        ("GET", "/api/models", LIMIT),
        ("POST", "/nowhere", LIMIT),
    ],
)
def test_a_body_declared_too_large_is_refused_unread(
    app: Any, method: str, path: str, limit: int
) -> None:
    sender = Sender(10**9, b"x")
    declared = scope(method, path, content_length=str(limit + 1))
    asyncio.run(app(declared, sender.receive, sender.send))
    assert (sender.status, sender.taken) == (413, 0)
    assert f"expected a body of {limit >> 20} MB or less" in sender.error


@pytest.mark.parametrize("length", ["-1", "1e9", "x", "", "١", "9" * 50])
def test_a_length_that_is_none_is_refused(app: Any, length: str) -> None:
    sender = Sender(0, b"")
    asyncio.run(app(scope("POST", "/api/read", content_length=length), sender.receive, sender.send))
    assert sender.status == (413 if length.isdigit() and length.isascii() else 400)


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("POST", "/api/read", PICTURE_LIMIT),
        ("POST", "/api/lab/explain", PICTURE_LIMIT),
        ("PUT", "/api/lab/state", LIMIT),
        ("POST", "/api/lab/corrections", LIMIT),
    ],
)
def test_a_body_that_grows_too_large_is_refused_as_soon_as_it_is(
    app: Any, method: str, path: str, limit: int
) -> None:
    sender = Sender(10**9, bytes(1 << 16))
    asyncio.run(app(scope(method, path), sender.receive, sender.send))
    assert sender.status == 413
    assert sender.taken == limit // (1 << 16) + 1


def test_a_form_that_grows_too_large_is_refused_as_soon_as_it_is(app: Any) -> None:
    class Form(Sender):
        async def receive(self) -> dict[str, Any]:
            if self.taken == 0:
                self.taken = 1
                return {"type": "http.request", "body": FORM, "more_body": True}
            return await super().receive()

    sender = Form(10**9, bytes(1 << 16))
    asyncio.run(
        app(scope("POST", "/api/read", content_type=MULTIPART), sender.receive, sender.send)
    )
    assert sender.status == 413
    assert sender.taken <= PICTURE_LIMIT // (1 << 16) + 2


def test_a_body_of_just_the_limit_is_read(app: Any, picture: bytes) -> None:
    pieces = [picture.ljust(PICTURE_LIMIT, b"\0"), b""]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    sender = Sender(0, b"")
    asyncio.run(app(scope("POST", "/api/read"), receive, sender.send))
    assert sender.status == 200


def test_a_client_that_leaves_while_it_sends_is_no_error(
    app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    sender = Sender(0, b"")
    asyncio.run(app(scope("POST", "/api/read"), receive, sender.send))
    assert sender.sent == []
    assert caplog.records == []


def test_a_body_that_never_ends_is_refused_and_makes_room(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    begun = False

    async def receive() -> dict[str, Any]:
        nonlocal begun
        if begun:
            await asyncio.Event().wait()
        begun = True
        return {"type": "http.request", "body": b"x", "more_body": True}

    sender = Sender(0, b"")
    asyncio.run(app(scope("POST", "/api/read"), receive, sender.send))
    assert sender.status == 408
    assert "expected a whole body within" in sender.error


def test_whoever_has_sent_all_may_wait_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.0)

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        with pytest.raises(TimeoutError):  # nothing more comes, and nobody calls that slow
            await asyncio.wait_for(receive(), 0.05)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in messages:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    sender = Sender(0, b"")
    guarded = Guard(waits, port=PORT, token=TOKEN)
    asyncio.run(guarded(scope("GET", "/api/models"), receive, sender.send))
    assert sender.status == 200


# How many


class Slow:
    """An app that answers when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.begun = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.begun += 1
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


@pytest.mark.parametrize(
    ("path", "most", "other"),
    [
        ("/api/read", AT_ONCE, "/api/lab/nearest"),
        ("/api/lab/nearest", AT_ONCE, "/api/read"),
        ("/api/lab/runs/0123456789ab/events", STREAMS, "/api/lab/state"),
    ],
)
def test_what_would_only_wait_is_told_so_and_others_go_on(path: str, most: int, other: str) -> None:
    async def story() -> tuple[list[Sender], Sender]:
        slow = Slow()
        guard = Guard(slow, port=PORT, token=TOKEN)
        asked = [Sender(0, b"") for _ in range(most + 5)]
        elsewhere = Sender(0, b"")
        async with asyncio.TaskGroup() as group:
            for each in asked:
                group.create_task(guard(scope("GET", path), each.receive, each.send))
            group.create_task(guard(scope("GET", other), elsewhere.receive, elsewhere.send))
            for _ in range(10):
                await asyncio.sleep(0)
            assert slow.begun == most + 1
            slow.go.set()
        later = Sender(0, b"")  # what is done makes room
        await guard(scope("GET", path), later.receive, later.send)
        return [*asked, later], elsewhere

    asked, elsewhere = asyncio.run(story())
    statuses = [each.status for each in asked]
    assert statuses == [200] * most + [503] * 5 + [200]
    assert elsewhere.status == 200
    refused = asked[most]
    assert (b"retry-after", b"1") in refused.sent[0]["headers"]
    assert f"expected at most {most} " in refused.error


# What goes wrong


def test_what_goes_wrong_is_told_as_json_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError("a secret")

    sender = Sender(0, b"")
    guard = Guard(broken, port=PORT, token=TOKEN)
    with caplog.at_level(logging.ERROR):
        asyncio.run(guard(scope("GET", "/api/models"), sender.receive, sender.send))
    assert sender.status == 500
    assert re.match("expected no error in the lab itself, got ZeroDivisionError", sender.error)
    assert "secret" not in sender.error
    assert [record.name for record in caplog.records] == ["inkdigits.lab"]


def test_who_still_waits_when_the_lab_must_end_is_told_to_come_back() -> None:
    async def story() -> Sender:
        sender = Sender(0, b"")
        guarded = Guard(Slow(), port=PORT, token=TOKEN)
        asked = asyncio.create_task(
            guarded(scope("GET", "/api/models"), sender.receive, sender.send)
        )
        for _ in range(5):
            await asyncio.sleep(0)
        asked.cancel()
        await asked
        return sender

    sender = asyncio.run(story())
    assert sender.status == 503
    assert "about to end" in sender.error
