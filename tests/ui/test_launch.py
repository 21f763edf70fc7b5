"""What Streamlit is told."""

import pytest

from emolens.image import Limits
from emolens.ui.launch import arguments, ask_nobody


def test_nothing_is_told_to_anybody_and_uploads_are_limited() -> None:
    told = arguments("127.0.0.1", 8501, "/faces/", None, Limits(max_bytes=300 * 2**20))
    assert {
        "--browser.gatherUsageStats=false",
        "--server.maxUploadSize=300",
        "--server.address=127.0.0.1",
        "--server.port=8501",
        "--server.baseUrlPath=faces",
    } <= set(told)
    assert told[-1] == "--"


def test_streamlit_knows_every_option() -> None:
    from streamlit import config

    options = [one.removeprefix("--").partition("=")[0] for one in arguments("a", 1, "", None, Limits())[2:-1]]
    assert set(options) <= set(config.get_config_options())


def test_the_server_is_for_the_page_and_not_for_streamlit() -> None:
    assert arguments("a", 1, "", "http://x", Limits())[-3:] == ["--", "--server", "http://x"]


def test_pages_of_other_sites_are_refused_without_asking_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit import net_util
    from streamlit.web.server.starlette.starlette_websocket import _is_origin_allowed

    asked: list[str] = []
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda url, **_: asked.append(url))
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)
    ask_nobody()
    assert not _is_origin_allowed("http://elsewhere.example", "127.0.0.1:8501")
    assert _is_origin_allowed("http://127.0.0.1:8501", "127.0.0.1:8501")
    assert asked == []
