"""The page that describes the endpoints and tries them out; all of it comes from this server."""

import base64
import hashlib
import re
from importlib.resources import as_file, files

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

_PARTS = "/docs/parts"
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def add_docs(app: FastAPI) -> None:
    """Adds `/docs`, in which only the page's own script runs."""
    with as_file(files("fastapi_offline") / "static") as folder:
        app.mount(_PARTS, StaticFiles(directory=folder))

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        page = get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title="emolens",
            swagger_js_url=f"{root}{_PARTS}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{_PARTS}/swagger-ui.css",
            swagger_favicon_url=f"{root}{_PARTS}/favicon.png",
        )
        page.headers["Content-Security-Policy"] = _policy(bytes(page.body).decode())
        return page


def _policy(page: str) -> str:
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE.findall(page))
    scripts = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'"
    )
