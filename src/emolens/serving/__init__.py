"""The HTTP server: `create_app` makes the application, `emolens serve` runs it."""

from emolens.serving.app import create_app
from emolens.serving.settings import ServerSettings

__all__ = ["ServerSettings", "create_app"]
