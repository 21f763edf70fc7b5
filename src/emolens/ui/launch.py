"""Starts Streamlit with the page: all that it has to be told stands here, so that no file of settings is needed."""

from pathlib import Path

from emolens.image import Limits

ARCHIVE_MB = 200
"""The largest zip file that is taken."""

_MIB = 2**20

_LIGHT = {
    "primaryColor": "#0f766e",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f0f5f4",
    "textColor": "#15201e",
    "linkColor": "#0b5f58",
}
_DARK = {
    "primaryColor": "#2dd4bf",
    "backgroundColor": "#0f1615",
    "secondaryBackgroundColor": "#1b2523",
    "textColor": "#e6eeec",
    "linkColor": "#5eead4",
}


def arguments(host: str, port: int, base_path: str, server: str | None, limits: Limits) -> list[str]:
    """The command line of `streamlit`.

    Args:
        host: the address to listen at.
        port: likewise.
        base_path: under which a proxy shows the page; empty for none.
        server: the address of the emolens server that answers; None for the models in this process.
        limits: files over them need not be sent.
    """
    options: dict[str, object] = {
        "server.address": host,
        "server.port": port,
        "server.baseUrlPath": base_path.strip("/"),
        "server.maxUploadSize": max(ARCHIVE_MB, limits.max_bytes // _MIB),
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        # The command says where the page is.
        "logger.hideWelcomeMessage": "true",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        **{f"theme.light.{name}": colour for name, colour in _LIGHT.items()},
        **{f"theme.dark.{name}": colour for name, colour in _DARK.items()},
    }
    own = [] if server is None else ["--server", server]
    app = str(Path(__file__).with_name("app.py"))
    return ["run", app, *(f"--{name}={value}" for name, value in options.items()), "--", *own]


def launch(arguments: list[str]) -> None:
    """Runs the page until it is stopped."""
    from streamlit.web.cli import main

    ask_nobody()
    main(arguments, prog_name="emolens ui", standalone_mode=False)


def ask_nobody() -> None:
    """Takes from Streamlit the question to a public server which address this computer has; no option does."""
    from streamlit import net_util

    # Asked whenever another site's page tries to connect, which is refused without it, too.
    net_util.get_external_ip = lambda: None
