"""The app: the routers put together, the page's files, and errors in the house's own pattern."""

from __future__ import annotations

import asyncio
import errno
import logging
import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from inkdigits.errors import FileError, InkdigitsError
from inkdigits.formats import html
from inkdigits.lab.findings import Findings
from inkdigits.lab.guard import RETRY_SECONDS, Guard
from inkdigits.lab.models import ModelShelf
from inkdigits.lab.routes.drawing import drawing_router
from inkdigits.lab.routes.looking import looking_router
from inkdigits.lab.routes.reading import reading_router
from inkdigits.lab.routes.training import training_router
from inkdigits.lab.runs.runs import Runs
from inkdigits.lab.store import Store
from inkdigits.parallel import available_threads, blas_on_one_thread
from inkdigits.version import __version__

__all__ = ["create_app"]

STATIC = Path(__file__).parent / "static"
SPARE_THREADS = 2  # beyond one a core: for what waits for a disk

DESCRIPTION = """\
Reads pictures of handwritten digits, and tells about the models that do it.

Send a picture's bytes to `/api/read`, or a form with the field `picture`. Everything under
`/api/lab/` is the page's own, needs the token, and may change from one version to the next.
Every error is `{"error": "expected …, got …: what to do"}`.
"""

LOG = logging.getLogger("inkdigits.lab")


# In full, and not as a model: a route of another type would describe its errors as of that type.
PROBLEM: dict[str, Any] = {
    "content": {
        "application/json": {
            "schema": {
                "title": "Problem",
                "type": "object",
                "required": ["error"],
                "additionalProperties": False,
                "properties": {
                    "error": {
                        "type": "string",
                        "description": "What was expected, what came, and what to do.",
                    }
                },
            }
        }
    }
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "The request cannot be answered", **PROBLEM},
    503: {"description": "Too much at a time, or no room: try again later", **PROBLEM},
}


def create_app(*, store: Store, port: int, token: str | None, api_only: bool = False) -> FastAPI:
    """The lab as an ASGI app.

    `app.state.closing` is an event that is set when the server is about to end: streams watch it.

    Args:
        store: what the user made.
        port: on which it will be served; requests that name another are refused.
        token: what opens `/api/lab/`; needed unless there is none.
        api_only: whether programs alone are served: no page, no training, nothing is written.
    """
    shelf = ModelShelf(store)
    app = FastAPI(
        title="inkdigits",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # Swagger's page would be fetched from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        responses=PROBLEMS,
    )
    app.state.closing = asyncio.Event()
    app.state.shelf = shelf
    app.state.runs = None
    app.include_router(reading_router(shelf))
    if not api_only:
        findings = Findings(shelf)
        app.state.runs = Runs(store, shelf)
        app.include_router(drawing_router(store, shelf, findings))
        app.include_router(looking_router(shelf, findings))
        app.include_router(training_router(app.state.runs))
        add_page(app)
    for kind, answer in (
        (InkdigitsError, ours),
        (RequestValidationError, misfit),
        (HTTPException, refused),
        (OSError, failing),
        (MemoryError, failing),
    ):
        app.add_exception_handler(kind, answer)
    app.add_middleware(Guard, port=port, token=None if api_only else token)
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Bounds the threads that compute, and warms up what the first reading needs."""
    to_thread.current_default_thread_limiter().total_tokens = available_threads() + SPARE_THREADS
    # Held all the while: set anew for each request, by several threads, it takes 30 ms a time.
    with blas_on_one_thread():
        async with asyncio.TaskGroup() as besides:
            besides.create_task(to_thread.run_sync(warm, app.state.shelf))
            besides.create_task(end_training(app))
            yield
            app.state.closing.set()


async def end_training(app: FastAPI) -> None:
    """Ends the process that learns as soon as the server is about to, not after all else."""
    await app.state.closing.wait()
    if app.state.runs is not None:
        await to_thread.run_sync(app.state.runs.close)


def warm(shelf: ModelShelf) -> None:
    """Reads nothing once, so that the first stroke on the board does not wait for imports."""
    import cv2  # noqa: F401
    import numpy as np
    from PIL import Image  # noqa: F401

    try:
        shelf.model("reader").answer(np.zeros((1, 28, 28), np.uint8))
    except InkdigitsError as error:
        LOG.warning("%s", error)


def add_page(app: FastAPI) -> None:
    """The page's files, which a browser asks for anew each time, and mostly has already."""
    mimetypes.add_type("text/javascript", ".js")  # some Windows calls it plain text
    page = StaticFiles(directory=STATIC, check_dir=False)

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def index(request: Request) -> Response:
        return await page.get_response("index.html", request.scope)

    # What draws a glyph in the exported page draws it here.
    app.mount("/static/page", StaticFiles(directory=html.FOLDER))
    app.mount("/static", page)


# Errors, each as {"error": …}


def problem(status: int, error: str, headers: Any = None) -> JSONResponse:
    return JSONResponse({"error": error}, status, headers)


async def ours(request: Request, error: Exception) -> JSONResponse:
    """What this package refuses: 404 for what is not there, 422 for what cannot be used."""
    if isinstance(error, FileError):
        if isinstance(error.__cause__, OSError):
            return await failing(request, error)
        return problem(404, str(error))
    return problem(422 if isinstance(error, InkdigitsError) else 400, str(error))


async def failing(request: Request, error: Exception) -> JSONResponse:
    """The machine has no room: nobody's mistake, and later it may work."""
    LOG.error("%s %s: %s", request.method, request.url.path, error)
    if isinstance(error, MemoryError):
        said = "expected enough memory, got too little: close other programs, then try again"
    elif isinstance(error, OSError):
        what = "a full disk" if error.errno == errno.ENOSPC else error.strerror or str(error)
        said = f"expected to read and write the lab's files, got {what}: mend that, then try again"
    else:
        said = str(error)
    return problem(503, said, {"retry-after": str(RETRY_SECONDS)})


async def misfit(request: Request, error: Exception) -> JSONResponse:
    """A request that is not as the API describes it: the first fault, in a sentence."""
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    return problem(422, sentence(faults[0]) if faults else "expected another request")


def sentence(fault: Any) -> str:
    source, *path = fault["loc"] or ("request",)
    where = ".".join(map(str, path)) or f"the {source}"
    wanted = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "missing":
        return f"expected {where} in the {source}, got none: see /openapi.json"
    if wanted.startswith("expected "):  # a sentence of ours already
        return wanted
    _, should, rest = wanted.partition(" should ")
    wanted = rest.partition(",")[0] if should else f"be otherwise ({wanted[:200]})"
    return f"expected {where} to {wanted}, got {fault.get('input')!r:.80}: see /openapi.json"


async def refused(request: Request, error: Exception) -> JSONResponse:
    """What the routes refuse themselves, and what the framework does, in our words."""
    assert isinstance(error, HTTPException)
    said = str(error.detail)
    if error.status_code == 404 and said == "Not Found":
        said = f"expected an address of the lab, got {request.url.path!r:.120}: see /openapi.json"
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        said = f"expected {allowed} at {request.url.path!r:.120}, got {request.method:.20}"
    elif "expected" not in said:
        said = f"expected another request, got one with a fault ({said[:200]}): see /openapi.json"
    return problem(error.status_code, said, error.headers)
