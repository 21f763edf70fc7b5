"""The application: settings in, an ASGI application out."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from emolens import __version__
from emolens.errors import EmolensError
from emolens.serving import errors
from emolens.serving.cors import Cors
from emolens.serving.description import Described
from emolens.serving.envelope import Envelope, Faults
from emolens.serving.logs import LOGGER
from emolens.serving.reload import follow
from emolens.serving.routes.about import about_routes, open_routes
from emolens.serving.routes.docs import add_docs
from emolens.serving.routes.feedback import feedback_routes
from emolens.serving.routes.policy import policy_routes
from emolens.serving.routes.predict import predict_routes
from emolens.serving.routes.stream import stream_routes
from emolens.serving.services import Services
from emolens.serving.settings import ServerSettings

_LOG = logging.getLogger(LOGGER)

_DESCRIPTION = """
Beside what stands below there is a WebSocket at `/stream`, with the options of `/predict`. Each binary message is an
image file, each answer the JSON of `/predict` or of an error, with the number of its `frame`, how many were `dropped`
for newer ones since the answer before, and for each face an `id` that it keeps from frame to frame.
"""


def create_app(settings: ServerSettings | None = None) -> FastAPI:
    """Makes the server's application; its models are open when this returns.

    It reads images while its lifespan runs. Servers see to that, but not to that of an application which is mounted in
    another one: enter `app.router.lifespan_context(app)` in that one's.

    Args:
        settings: of the environment without them.

    Raises:
        ConfigError: a setting cannot be used.
        ModelError: a model is missing or damaged.
        PolicyError: the policy is missing or breaks a rule.
        MissingExtraError: feedback is to be taken, and the extra `feedback` is not there.
    """
    services = Services.open(settings or ServerSettings.load())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.engine.start()
        if services.feedback is not None:
            await services.feedback.start()
        following = asyncio.create_task(follow(services.engine, services.metrics))
        yield
        following.cancel()
        await services.engine.stop()
        if services.feedback is not None:
            await services.feedback.stop()

    app = Described(
        title="emolens",
        summary="Reads emotion from images and tells which emoji reactions fit.",
        description=_DESCRIPTION,
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,  # the address would be made of the client's own Host
    )
    app.names = {"policy": list(services.policies.names), "model": list(services.engine.served)}
    app.add_middleware(Faults)
    if origins := services.settings.origins():
        app.add_middleware(Cors, origins=origins)
    app.add_middleware(Envelope, metrics=services.metrics)
    for router in (
        predict_routes(services),
        stream_routes(services),
        about_routes(services),
        policy_routes(services),
        open_routes(services),
    ):
        app.include_router(router)
    if services.feedback is not None:
        app.include_router(feedback_routes(services, services.feedback))
    add_docs(app)
    app.add_exception_handler(EmolensError, _refused)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _refused)
    app.add_exception_handler(WebSocketRequestValidationError, _refused)
    return app


async def _refused(request: HTTPConnection, error: Exception) -> JSONResponse:
    refused = _as_refusal(error)
    if refused.status == 500:
        _LOG.error("fault", exc_info=error, extra={"fields": {"request_id": request.state.request_id}})
    if refused.status == 405 and (methods := request.app.methods(request.scope["path"])):
        refused.headers["Allow"] = ", ".join(methods)  # the framework's own has those of one function alone
    content = errors.body(refused, request.state.request_id)
    return JSONResponse(content, refused.status, headers=refused.headers)


def _as_refusal(error: Exception) -> errors.RequestError:
    match error:
        case EmolensError():
            return errors.from_error(error)
        case HTTPException():
            return errors.from_status(error.status_code, error.headers)
        case RequestValidationError() | WebSocketRequestValidationError():
            return errors.from_faults(error.errors())
    return errors.internal()
