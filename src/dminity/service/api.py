"""The routes of a service."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from dminity.service.answering import Answering, describe
from dminity.service.detecting import Detecting
from dminity.service.documents import SUMMARY, TITLE, form_of_home, form_of_photos, problems
from dminity.service.metrics import Metrics
from dminity.service.model_in_use import ModelInUse
from dminity.service.refusals import RETRY_AFTER_S, Refusal, answer
from dminity.service.schemas import Health, HomesAnswer, ModelAnswer, PhotosAnswer
from dminity.service.security import SecureHeaders, asks_for
from dminity.service.settings import Limits, Settings
from dminity.service.site import mount_site
from dminity.service.uploads import Memory
from dminity.service.watching import REQUEST_ID, Watching

OF_UPLOADS = (400, 408, 413, 415, 422, 503)
# The names that logs and metrics know; all other paths are clients' own words.
ROUTES = (
    "/v1/detect", "/v1/listing", "/v1/model", "/metrics", "/healthz", "/readyz", "/openapi.json",
)  # fmt: skip


def build(settings: Settings) -> ASGIApp:
    """A service, with its model in memory.

    Raises:
        DminityError: if its model or its page cannot be used.
    """
    metrics = Metrics()
    models = ModelInUse(settings.model, lambda result: metrics.models.labels(result).inc())
    memory = Memory(settings.limits.held_bytes)
    metrics.upload_bytes.set_function(lambda: memory.held_bytes)
    answering = Answering(
        settings.limits,
        memory,
        models,
        Detecting(settings, metrics),
        metrics,
    )
    app = FastAPI(
        title=TITLE, summary=SUMMARY, version=version("dminity"), docs_url=None, redoc_url=None,
        lifespan=lambda _: _alive(answering, settings.watch),
    )  # fmt: skip
    app.include_router(_open_routes(answering))
    app.include_router(_client_routes(answering, settings.limits), **_protection(settings.token))
    _say_what_is_wrong(app, metrics)
    _let_others_ask(app, settings.cors)
    if settings.site:
        mount_site(app, settings.site)

    def is_site(path: str) -> bool:
        return settings.site is not None and path not in ROUTES and not path.startswith("/v1/")

    def place(path: str) -> str:
        return path if path in ROUTES else "site" if is_site(path) else "other"

    return Watching(SecureHeaders(app, is_site), metrics, place)


def _let_others_ask(app: FastAPI, origins: tuple[str, ...]) -> None:
    """Let pages of these origins ask, and no others."""
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", REQUEST_ID],
            expose_headers=[REQUEST_ID, "Retry-After"],
        )


@asynccontextmanager
async def _alive(answering: Answering, watch: bool) -> AsyncIterator[None]:
    """What goes on beside requests: new models on SIGHUP, or as they come."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(answering.models.reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)
    watching = loop.create_task(answering.models.watch()) if watch else None
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        if watching:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        answering.detecting.close()


def _protection(token: str | None) -> dict[str, Any]:
    """What the routes of clients ask for."""
    if token is None:
        return {}
    return {"dependencies": [Depends(asks_for(token))], "responses": problems(401)}


def _open_routes(answering: Answering) -> APIRouter:
    """Those that need no token."""
    router = APIRouter()

    @router.get("/healthz", response_model=Health)
    async def is_there() -> dict[str, str]:
        """Whether the service is there."""
        return {"status": "ok"}

    @router.get("/readyz", response_model=Health, responses=problems(503))
    async def is_ready() -> dict[str, str]:
        """Whether another request would be answered now."""
        if answering.detecting.full:
            raise HTTPException(503, "the queue is full", {"Retry-After": str(RETRY_AFTER_S)})
        return {"status": "ready"}

    return router


def _client_routes(answering: Answering, limits: Limits) -> APIRouter:
    """Those that need the token, if there is one."""
    router = APIRouter()

    @router.post(
        "/v1/detect",
        response_model=PhotosAnswer,
        responses=problems(*OF_UPLOADS),
        openapi_extra=form_of_photos(limits),
    )
    async def detect(request: Request) -> dict[str, Any]:
        """Find amenities in photos."""
        return await answering.detect(request)

    @router.post(
        "/v1/listing",
        response_model=HomesAnswer,
        responses=problems(*OF_UPLOADS),
        openapi_extra=form_of_home(limits),
    )
    async def listing(request: Request) -> dict[str, Any]:
        """List the amenities of a home, and compare them with what its owner claims."""
        return await answering.listing(request)

    @router.get("/v1/model", response_model=ModelAnswer)
    async def model() -> dict[str, Any]:
        """The model in use, its thresholds, and how good it was in its evaluation."""
        return describe(answering.models)

    @router.get(
        "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}}
    )
    async def metrics() -> Response:
        """Counters and times, for Prometheus."""
        return Response(answering.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router


def _say_what_is_wrong(app: FastAPI, metrics: Metrics) -> None:
    """Let all errors have one form."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> JSONResponse:
        metrics.rejected.labels(error.reason).inc()
        request.state.said["refused"] = error.reason
        name = request.state.request_id
        return answer(error.status, str(error), name, error.failed, error.headers)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> JSONResponse:
        name = request.state.request_id
        return answer(error.status_code, str(error.detail), name, headers=error.headers)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, _: Exception) -> JSONResponse:
        return answer(500, "nobody expected that; the log has it", request.state.request_id)
