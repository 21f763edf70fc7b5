"""The client of `emolens serve`: what `Predictor` does, done by a server."""

from emolens.errors import MissingExtraError

try:
    import httpx  # noqa: F401 (asked for here, so that one line says what is missing)
except ModuleNotFoundError:
    raise MissingExtraError("client", "to ask a server over HTTP") from None

from emolens.client.answers import LivePolicy, PolicyVersion, RefusedImageError, ServedModel
from emolens.client.asynchronous import AsyncClient
from emolens.client.synchronous import Client

__all__ = ["AsyncClient", "Client", "LivePolicy", "PolicyVersion", "RefusedImageError", "ServedModel"]
