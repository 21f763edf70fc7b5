"""`emolens ui`: a page for the browser."""

import sys
from typing import Annotated

import typer

from emolens.cli.extras import needing


def ui(
    host: Annotated[str, typer.Option(metavar="H", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="P", min=1, max=65535, help="The port to listen at.")] = 8501,
    base_path: Annotated[
        str, typer.Option(metavar="PATH", help="Where a proxy shows the page, as in /faces.", show_default="/")
    ] = "",
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="An emolens server that answers.", show_default="the models on this computer"),
    ] = None,
) -> None:
    """Open a page in the browser: drop a photograph, see the answer.

    Whoever can reach the address can use it; beyond this computer, put a proxy with a password in front.
    """
    from emolens.image import Limits

    with needing("ui", "to open the page"):
        import altair  # noqa: F401
        import streamlit  # noqa: F401

    from emolens.ui.launch import arguments, launch

    path = base_path.strip("/")
    print(f"emolens: the page is at http://{host}:{port}/{path}", file=sys.stderr)
    launch(arguments(host, port, path, server, Limits.from_environment()))
