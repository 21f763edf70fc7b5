"""Names of models become files, and nothing is downloaded that was not asked for or is not what it should be."""

import gc
import hashlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from emolens import zoo
from emolens.errors import ConfigError, ModelError
from models import make_model_file

CONTENT = b"not really a model"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path / "cache"))
    monkeypatch.delenv("EMOLENS_OFFLINE", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serves one file at `/model.onnx`."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(CONTENT)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def entry(url: str, content: bytes = CONTENT) -> zoo.Entry:
    return zoo.Entry(
        name="made_up",
        kind="face",
        url=url,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence="MIT",
        labels=("happy",),
        preprocessing="none",
        about="a file for tests",
    )


def test_a_path_stands_for_itself(tmp_path: Path) -> None:
    path = make_model_file(tmp_path / "mine.onnx")
    assert zoo.find(path) == path
    assert zoo.find(str(path)) == path


def test_an_embedded_name_stands_for_its_file() -> None:
    for name, path in zoo.embedded().items():
        assert zoo.find(name) == path
        assert zoo.card_of(path).name == name


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ModelError, match=r"'yunett'.*did you mean 'yunet'"):
        zoo.find("yunett")
    with pytest.raises(ModelError, match="did you mean 'yunet'"):
        zoo.entry("yunt")


def test_a_path_that_is_not_there_is_refused_as_a_path(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model file at"):
        zoo.find(tmp_path / "nowhere.onnx")


def test_a_known_model_is_not_downloaded_unasked(cache: Path) -> None:
    with pytest.raises(ModelError, match="emolens models pull yunet"):
        zoo.find("yunet")
    assert not cache.exists()


def test_a_pulled_model_is_found_by_its_name(cache: Path) -> None:
    cache.mkdir()
    (cache / "yunet.onnx").write_bytes(CONTENT)
    assert zoo.find("yunet") == cache / "yunet.onnx"


def test_pulling_brings_the_file_and_only_the_file(server: str, cache: Path) -> None:
    path = zoo.pull(entry(f"{server}/model.onnx"))
    assert path.read_bytes() == CONTENT
    assert list(cache.iterdir()) == [path]


def test_what_is_there_already_is_not_pulled_again(cache: Path) -> None:
    cache.mkdir()
    (cache / "made_up.onnx").write_bytes(CONTENT)
    assert zoo.pull(entry("http://127.0.0.1:9/nobody-listens")) == cache / "made_up.onnx"


def test_a_damaged_file_in_the_cache_is_replaced(server: str, cache: Path) -> None:
    cache.mkdir()
    (cache / "made_up.onnx").write_bytes(b"half of a mod")
    assert zoo.pull(entry(f"{server}/model.onnx")).read_bytes() == CONTENT


def test_a_file_of_another_content_is_refused_and_not_kept(server: str, cache: Path) -> None:
    with pytest.raises(ModelError, match="sha256"):
        zoo.pull(entry(f"{server}/model.onnx", content=b"what it should be"))
    assert list(cache.iterdir()) == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("address", ["{server}/absent.onnx", "http://127.0.0.1:9/nobody-listens"])
def test_a_download_that_fails_says_so_in_one_line(server: str, cache: Path, address: str) -> None:
    with pytest.raises(ModelError, match="made_up could not be downloaded") as caught:
        zoo.pull(entry(address.format(server=server)))
    assert "\n" not in str(caught.value)
    assert list(cache.iterdir()) == []
    del caught
    gc.collect()  # pooch leaves the socket of a refused answer to the garbage collector


def test_offline_forbids_downloads_and_says_how_to_do_without(
    server: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOLENS_OFFLINE", "1")
    with pytest.raises(ConfigError, match=f"EMOLENS_OFFLINE=1 forbids.*{cache}"):
        zoo.pull(entry(f"{server}/model.onnx"))


def test_a_cache_that_cannot_be_made_is_a_clear_error(server: str, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(ConfigError, match="EMOLENS_MODELS"):
        zoo.pull(entry(f"{server}/model.onnx"))


def test_the_cache_is_the_users_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMOLENS_MODELS")
    assert "emolens" in str(zoo.cache_folder())


def test_every_entry_says_under_which_licence_it_comes() -> None:
    assert "yunet" in zoo.entries()
    for one in zoo.entries().values():
        assert one.licence
        assert one.url.startswith("https://")
