"""Which pages of other sites may ask, and may read the answer."""

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp

from emolens.serving.errors import RequestError

ANY = "*"


class Cors(CORSMiddleware):
    """Starlette's, whose answers to preflights say what is allowed, and leave the refusal to the browser.

    Args:
        app: the application.
        origins: `scheme://host:port` of the pages, or `*` for all.
    """

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        super().__init__(
            app,
            allow_origins=tuple(origins),
            allow_methods=("GET", "POST", "PUT", "DELETE"),
            allow_headers=("Authorization", "X-Request-ID"),
            expose_headers=("Retry-After", "X-Request-ID"),
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        said = super().preflight_response(request_headers).headers
        allowed = {name: value for name, value in said.items() if not name.startswith("content-")}
        return Response(status_code=204, headers=allowed)


def check_origin(connection: HTTPConnection, origins: Iterable[str]) -> None:
    """Refuses what a page of another site opens: unlike requests, browsers let any page open a stream anywhere.

    Raises:
        RequestError: 403.
    """
    origin = connection.headers.get("origin")
    if origin is None or ANY in origins or origin in origins:
        return
    if origin.partition("://")[2] != connection.headers.get("host"):
        raise RequestError(403, "foreign_origin", "pages of this origin may not open a stream of this server")
