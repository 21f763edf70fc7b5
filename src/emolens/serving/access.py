"""Who may ask: the key of a request against those of the server, before its body is read."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.requests import HTTPConnection

from emolens.serving.errors import RequestError
from emolens.serving.guard import Guard

# For the description alone, since it reads no handshake of a stream.
_bearer = HTTPBearer(auto_error=False, description="A key of this server, where it has any.")
_Described = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def with_key(guard: Guard) -> Callable[..., AsyncIterator[None]]:
    """A dependency that lets pass who has one of the keys, within its quotas; and everybody where there are none."""

    async def check(request: Request, _: _Described) -> AsyncIterator[None]:
        with entered(request, guard):
            yield

    return check


def with_admin_key(guard: Guard) -> Callable[..., AsyncIterator[None]]:
    """The same, but nobody where there are none."""

    async def check(request: Request, _: _Described) -> AsyncIterator[None]:
        if not guard.keys:
            raise RequestError(403, "no_admin_keys", "this server has no admin keys, so that nobody may do this")
        with entered(request, guard):
            yield

    return check


@contextmanager
def entered(connection: HTTPConnection, guard: Guard) -> Iterator[None]:
    """While a request or a stream is served.

    Raises:
        RequestError: 401 without one of the keys, 429 beyond the quotas of the one that it has.
    """
    if not guard.keys:
        yield
        return
    scheme, key = get_authorization_scheme_param(connection.headers.get("authorization"))
    name = guard.keys.holder(key) if scheme.lower() == "bearer" else None
    if name is None:
        message = "send the header 'Authorization: Bearer KEY' with a key that may do this"
        raise RequestError(401, "unauthorized", message, {"WWW-Authenticate": "Bearer"})
    connection.state.key = name
    with guard.quotas.admitted(name):
        yield
