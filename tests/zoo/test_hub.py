"""An address on the hub becomes a file in the hub's cache, and a model file becomes a repository with a page."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from huggingface_hub import constants

import emolens
from emolens import zoo
from emolens.errors import ConfigError, MissingExtraError, ModelError
from emolens.zoo import hub
from hub_server import COMMIT, TOKEN, HubServer, Repository
from models import make_model_file

ADDRESS = "hf://ada/faces/tiny.onnx"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model_file(tmp_path / "tiny.onnx", limits=("Not at night.",))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub that this process asks instead of huggingface.co, as HF_ENDPOINT would have it from the start."""
    with HubServer() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        ask(server.url, tmp_path, monkeypatch)
        yield server
        server.shutdown()
        thread.join()


def ask(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture
def published(server: HubServer, model: Path) -> HubServer:
    server.repositories["ada/faces"] = Repository({"tiny.onnx": model.read_bytes(), "nested/tiny.onnx": b"no model"})
    return server


def refusal(address: str) -> str:
    with pytest.raises(ModelError) as caught:
        zoo.find(address)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("address", [ADDRESS, "hf://ada/faces@v1/tiny.onnx", f"hf://ada/faces@{COMMIT}/tiny.onnx"])
def test_an_address_is_loaded_like_a_file(address: str, model: Path, tmp_path: Path) -> None:
    predictor = emolens.load(address, detector=None)
    assert predictor.model.card == zoo.card_of(model)
    assert zoo.find(address).is_relative_to(tmp_path / "hub")


def test_what_is_in_the_cache_is_not_downloaded_again(published: HubServer) -> None:
    assert zoo.find(ADDRESS) == zoo.find(ADDRESS)
    assert sum(one.startswith("GET") for one in published.asked) == 1


def test_a_new_version_is_downloaded(published: HubServer, tmp_path: Path) -> None:
    before = zoo.find(ADDRESS).read_bytes()
    published.repositories["ada/faces"].files["tiny.onnx"] = b"another version"
    (tmp_path / "hub" / "models--ada--faces" / "snapshots" / COMMIT / "tiny.onnx").unlink()  # a commit is for ever
    assert zoo.find(ADDRESS).read_bytes() == b"another version" != before


@pytest.mark.parametrize("fault", ["offline", "broken", "nobody listens"])
def test_the_cache_serves_where_the_hub_cannot(
    fault: str, published: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = zoo.find(ADDRESS)
    published.asked.clear()
    match fault:
        case "offline":
            monkeypatch.setenv("EMOLENS_OFFLINE", "1")
        case "broken":
            published.broken = True
        case "nobody listens":
            ask("http://127.0.0.1:9", tmp_path, monkeypatch)
    assert zoo.find(ADDRESS) == found
    assert len(published.asked) == (1 if fault == "broken" else 0)


def test_offline_nothing_is_asked(published: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_OFFLINE", "1")
    assert "is not in the cache, and EMOLENS_OFFLINE=1 forbids downloads" in refusal(ADDRESS)
    assert published.asked == []


def test_without_a_network_the_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("http://127.0.0.1:9", tmp_path, monkeypatch)
    assert "is not in the cache, and the hub cannot be reached" in refusal(ADDRESS)


def test_a_hub_that_is_broken_is_not_asked_for_long(published: HubServer) -> None:
    published.broken = True
    assert "the hub cannot be reached (" in refusal(ADDRESS)
    assert len(published.asked) == 1


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("hf://ada/nothing/tiny.onnx", "the hub has no repository ada/nothing, or a private one"),
        ("hf://ada/faces@v9/tiny.onnx", "ada/faces has no revision 'v9'"),
        ("hf://ada/faces/huge.onnx", "ada/faces has no file huge.onnx"),
        ("hf://ada/faces", "is no address of a model file"),
        ("hf://ada/faces/tiny.pkl", "is no address of a model file"),
        ("hf://ada/faces/../../tiny.onnx", "is no address of a model file"),
        ("hf://ada/faces/my folder/tiny 2.onnx", "ada/faces has no file my folder/tiny 2.onnx"),
        ("hf://ada/faces/two\nlines.onnx", "is no address of a model file"),
        ("hf://ada/faces/a\n/../tiny.onnx", "is no address of a model file"),
        ("hf://ada/faces/tiny.onnx\n", "is no address of a model file"),
        ("hf://ada/faces/ /tiny.onnx", "is no address of a model file"),
        ("hf://ada/faces//tiny.onnx", "is no address of a model file"),
        ("hf://ada/faces/\x1b]0;tiny.onnx", "is no address of a model file"),
        ("hf://ada/faces/%2e%2e/tiny.onnx", "is no address of a model file"),
        ("hf://ada/faces/a?b#tiny.onnx", "is no address of a model file"),
        ("hf://ada/faces@v\n1/tiny.onnx", "is no address of a model file"),
    ],
)
def test_what_is_not_there_is_named(address: str, said: str) -> None:
    assert said in refusal(address)


def test_a_private_repository_wants_the_token(published: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    published.repositories["ada/faces"].private = True
    assert "set HF_TOKEN" in refusal(ADDRESS)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert zoo.find(ADDRESS).is_file()


def test_a_file_that_cannot_be_onnx_is_not_downloaded(published: HubServer) -> None:
    published.repositories["ada/faces"].announced_size = 2**31 + 1
    assert "no ONNX file has so many" in refusal(ADDRESS)
    assert not any(one.startswith("GET") for one in published.asked)


@pytest.mark.usefixtures("published")
def test_a_file_that_is_no_model_is_refused_when_it_is_opened() -> None:
    with pytest.raises(ModelError, match="cannot be opened as ONNX"):
        emolens.load("hf://ada/faces/nested/tiny.onnx")


@pytest.mark.usefixtures("published")
def test_a_copy_that_was_changed_is_refused() -> None:
    zoo.find(ADDRESS).resolve().write_bytes(b"swapped")
    assert "its copy in the cache is damaged; delete" in refusal(ADDRESS)


def test_without_the_extra_the_line_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"emolens\[hub\]"):
        zoo.find(ADDRESS)


def emolens_command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emolens", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"HF_HUB_DISABLE_TELEMETRY": "1"} | environment,
        timeout=120,
    )


def test_the_command_pushes_a_model_with_its_page_and_loads_it_again(
    server: HubServer, model: Path, tmp_path: Path
) -> None:
    there = {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": TOKEN}
    pushed = emolens_command("models", "push", model, "ada/mine", "--path", "faces/best.onnx", "--private", **there)
    assert (pushed.returncode, pushed.stdout) == (0, "hf://ada/mine/faces/best.onnx\n"), pushed.stderr
    repository = server.repositories["ada/mine"]
    assert repository.private
    assert repository.files["faces/best.onnx"] == model.read_bytes()
    page = repository.files["README.md"].decode()
    assert page.startswith("---\nlibrary_name: emolens\n")
    assert "\n# tiny\n" in page
    assert "- Not at night." in page

    shown = emolens_command("models", "show", "hf://ada/mine/faces/best.onnx", **there)
    assert '"name": "tiny"' in shown.stdout, shown.stderr
    assert pushed.stderr + shown.stderr == ""


def push(model: Path, repository: str = "ada/mine", name: str = "tiny.onnx", private: bool = False) -> str:
    return hub.push(model, repository, name, "# tiny\n", private)


@pytest.mark.usefixtures("server")
def test_nobody_pushes_without_a_token(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="set HF_TOKEN"):
        push(model)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(ModelError, match="may not write there"):
        push(model, "bob/his")
    assert push(model) == "hf://ada/mine/tiny.onnx"


def test_what_should_be_private_is_not_pushed_into_public(
    server: HubServer, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    server.repositories["ada/mine"] = Repository()
    with pytest.raises(ModelError, match="is there already and public"):
        push(model, private=True)
    assert server.repositories["ada/mine"].files == {}


@pytest.mark.parametrize(
    ("repository", "name"),
    [("ada", "a.onnx"), ("ada/mine", "a.bin"), ("ada/mine", "../a.onnx"), ("ada/mine", "a\nb.onnx")],
)
def test_names_that_make_no_address_are_refused(repository: str, name: str, server: HubServer, model: Path) -> None:
    with pytest.raises(ConfigError, match="make no address"):
        push(model, repository, name)
    assert server.asked == []


def test_offline_forbids_to_push(server: HubServer, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_OFFLINE", "1")
    with pytest.raises(ConfigError, match="EMOLENS_OFFLINE=1"):
        push(model)
    assert server.asked == []
