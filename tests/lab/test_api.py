"""The API as its document describes it: whatever a program sends, the mistake is never the lab's.

Schemathesis makes requests from `/openapi.json`, fitting and misfitting ones, and holds the answers
to it: none of 500 or more, each described, each of the described shape.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from unittest import SkipTest

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from inkdigits.lab.app import create_app
from inkdigits.lab.runs.records import Record
from inkdigits.lab.runs.runs import Runs
from inkdigits.lab.store import Store

TOKEN = "0123456789abcdef" * 2
HOST = {"host": "127.0.0.1:8765"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
QUICKLY = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The API's document; runs that are asked for end before they begin to learn."""

    def ended(runs: Runs, record: Record, command: Any = None) -> None:
        record.say("failed", message="not in this test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runs, "spawn", ended)
        app = create_app(store=Store(tmp_path_factory.mktemp("home")), port=8765, token=TOKEN)
        yield schemathesis.openapi.from_asgi("/openapi.json", app, headers=HOST)
        # Left to itself its thread, and the app with it, lives as long as Python does: where a
        # thread is, no process can be forked.
        asgi._shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("mode", schemathesis.GenerationMode)
@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", None])
def test_whatever_is_asked_is_answered_as_described(
    lab: Any, mode: schemathesis.GenerationMode, authorization: str | None
) -> None:
    headers = HOST if authorization is None else {**HOST, "authorization": authorization}

    def tried(operation: Any) -> None:
        @given(case=operation.as_strategy(generation_mode=mode))
        @QUICKLY
        def every(case: Any) -> None:
            answer = case.call_and_validate(headers=headers, checks=CHECKS)
            if authorization is None and operation.path.startswith("/api/lab/"):
                assert answer.status_code == 401

        # Where there is nothing to get wrong there are no wrong requests.
        with suppress(Unsatisfiable, SkipTest):
            every()

    operations = [result.ok() for result in lab.get_all_operations()]
    assert len(operations) > 10
    for operation in operations:
        tried(operation)


@pytest.mark.slow
def test_every_error_is_described_as_an_error_with_words(app: FastAPI) -> None:
    document = app.openapi()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"]
            for status in ("4XX", "503"):
                described = answers[status]["content"]
                assert list(described) == ["application/json"], (method, path)
                schema = described["application/json"]["schema"]
                assert schema["required"] == list(schema["properties"]) == ["error"]
                assert schema["properties"]["error"]["type"] == "string"
            assert "422" not in answers
    assert json.loads(json.dumps(document)) == document


@pytest.mark.slow
def test_every_route_is_described_and_its_page_comes_from_nowhere_else(
    app: FastAPI, stranger: TestClient
) -> None:
    assert {"/api/read", "/api/models", "/api/models/{name}", "/api/lab/state"} <= set(
        app.openapi()["paths"]
    )
    assert stranger.get("/docs").status_code == stranger.get("/redoc").status_code == 404


@pytest.mark.parametrize("path", ["/", "/static/", "/static/%00", "/api", "/api/lab/", "/%ff"])
def test_odd_addresses_get_an_error_of_the_usual_shape(client: TestClient, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "TRACE"):
        answer = client.request(method, path)
        if answer.status_code >= 400:
            assert answer.status_code < 500, method
            assert method == "HEAD" or list(answer.json()) == ["error"]
        else:
            assert path == "/"
            assert method in ("GET", "HEAD")


# For programs alone


def test_for_programs_alone_there_is_neither_page_nor_token_nor_anything_written(
    store: Store, picture: bytes
) -> None:
    app = create_app(store=store, port=8765, token=None, api_only=True)
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        assert set(client.get("/openapi.json").json()["paths"]) == {
            "/api/models",
            "/api/models/{name}",
            "/api/read",
        }
        assert client.post("/api/read", content=picture).json()["digit"] == 2
        for path in ("/", "/static/index.html", "/api/lab/state", "/?token=x"):
            assert client.get(path).status_code == 404
            assert list(client.get(path).json()) == ["error"]
    assert not store.folder.exists()


# The page's files


def test_the_pages_files_are_asked_for_anew_and_mostly_not_sent_again(
    stranger: TestClient,
) -> None:
    for path in ("/", "/static/index.html", "/static/page/glyph.js"):
        first = stranger.get(path)
        assert first.status_code == 200
        assert first.headers["cache-control"] == "no-cache"
        again = stranger.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert stranger.get("/").text == stranger.get("/static/index.html").text
    kind = stranger.get("/static/page/glyph.js").headers["content-type"]
    assert kind.startswith("text/javascript")
