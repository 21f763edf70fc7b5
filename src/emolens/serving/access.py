"""Who may ask: the key of a request against those of the server, before its body is read."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from emolens.serving.errors import RequestError
from emolens.serving.security import Keys

_bearer = HTTPBearer(auto_error=False, description="A key of this server, where it has any.")
_Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def with_key(keys: Keys) -> Callable[..., Awaitable[None]]:
    """A dependency that lets pass who has one of the keys, and everybody where there are none."""

    async def check(request: Request, given: _Given) -> None:
        if keys:
            _identify(request, given, keys)

    return check


def with_admin_key(keys: Keys) -> Callable[..., Awaitable[None]]:
    """The same, but nobody where there are none."""

    async def check(request: Request, given: _Given) -> None:
        if not keys:
            raise RequestError(403, "no_admin_keys", "this server has no admin keys, so that nobody may do this")
        _identify(request, given, keys)

    return check


def _identify(request: Request, given: HTTPAuthorizationCredentials | None, keys: Keys) -> None:
    request.state.key = keys.holder(given.credentials) if given else None
    if request.state.key is None:
        message = "send the header 'Authorization: Bearer KEY' with a key that may do this"
        raise RequestError(401, "unauthorized", message, {"WWW-Authenticate": "Bearer"})
