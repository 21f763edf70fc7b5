"""`emolens serve`: answers over HTTP."""

from typing import Annotated

import typer

from emolens.cli.extras import needing


def serve(
    host: Annotated[str | None, typer.Option(metavar="H", help="The address to listen at.")] = None,
    port: Annotated[int | None, typer.Option(metavar="P", help="The port to listen at; 0 takes any free one.")] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Server processes.")] = None,
    show_settings: Annotated[
        bool, typer.Option("--show-settings", help="Print the settings in force, secrets masked, and exit.")
    ] = False,
) -> None:
    """Answer over HTTP: photographs in, emotions and reactions out.

    What is set by no option is set by EMOLENS_SERVE_*, in the environment or in .env.
    """
    with needing("serve", "to answer over HTTP"):
        from emolens.serving.run import run
        from emolens.serving.settings import ServerSettings

    options = {"host": host, "port": port, "workers": workers}
    settings = ServerSettings.load(**{name: value for name, value in options.items() if value is not None})
    if not show_settings:
        run(settings)
        return
    for name, value in settings.shown().items():
        print(f"{name}={value}")
