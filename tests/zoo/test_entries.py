"""What can be pulled is described whole, and what is pulled is the file that is described."""

import hashlib
from pathlib import Path

import pytest

from emolens import zoo
from emolens.errors import ConfigError, ModelError
from file_server import CONTENT, FileServer


def entry(url: str, content: bytes = CONTENT) -> zoo.Entry:
    return zoo.Entry(
        name="made_up",
        kind="face",
        url=url,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence="MIT",
        training_data="none",
        labels=("happy",),
        preprocessing="none",
        about="a file for tests",
    )


def visible(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("[!.]*")]


def test_pulling_brings_the_file_and_only_the_file(server: FileServer, cache: Path) -> None:
    path = zoo.pull(entry(server.address("whole")))
    assert path.read_bytes() == CONTENT
    assert visible(cache) == ["made_up.onnx"]


def test_a_file_keeps_the_ending_that_it_has(server: FileServer, cache: Path) -> None:
    assert zoo.pull(entry(f"{server.url}/whole/model.task")) == cache / "made_up.task"


def test_what_is_there_already_is_not_pulled_again(cache: Path) -> None:
    cache.mkdir()
    (cache / "made_up.onnx").write_bytes(CONTENT)
    assert zoo.pull(entry("http://127.0.0.1:9/nobody-listens.onnx")) == cache / "made_up.onnx"


@pytest.mark.parametrize("damage", [CONTENT[:-1], CONTENT[::-1], b""])
def test_a_damaged_file_in_the_cache_is_named_and_replaced(damage: bytes, server: FileServer, cache: Path) -> None:
    cache.mkdir()
    (cache / "made_up.onnx").write_bytes(damage)
    one = entry(server.address("whole"))
    with pytest.raises(ModelError, match=r"is not the file that made_up stands for: .*`emolens models pull made_up`"):
        one.check()
    assert zoo.pull(one).read_bytes() == CONTENT
    one.check()


@pytest.mark.parametrize("content", [b"cut", b"x" * 232589])
def test_a_cut_or_swapped_file_is_refused_before_it_is_opened(content: bytes, cache: Path) -> None:
    cache.mkdir()
    (cache / "yunet.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="is not the file that yunet stands for"):
        zoo.find("yunet")


@pytest.mark.parametrize("way", ["wrong", "404"])
def test_a_download_that_fails_leaves_nothing(way: str, server: FileServer, cache: Path) -> None:
    with pytest.raises(ModelError):
        zoo.pull(entry(server.address(way)))
    assert visible(cache) == []
    assert not list(cache.glob(".*.part"))


def test_offline_forbids_downloads_and_says_how_to_do_without(
    server: FileServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOLENS_OFFLINE", "1")
    with pytest.raises(ConfigError, match=f"EMOLENS_OFFLINE=1 forbids.*{cache}"):
        zoo.pull(entry(server.address("whole")))
    assert server.asked == []


def test_a_cache_that_cannot_be_made_is_a_clear_error(server: FileServer, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(ConfigError, match="EMOLENS_MODELS"):
        zoo.pull(entry(server.address("whole")))


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_mirror_is_asked_for_the_file_and_nobody_else(
    ending: str, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOLENS_MIRROR", f"{server.url}/whole/models{ending}")
    zoo.pull(entry("http://127.0.0.1:9/far/away/some.onnx?raw=true"))
    assert server.asked == [("/whole/models/some.onnx", None)]


def test_a_mirror_may_not_bring_another_file(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_MIRROR", f"{server.url}/wrong")
    with pytest.raises(ModelError, match=r"does not bring the file .* check the mirror"):
        zoo.pull(entry(server.address("whole")))


@pytest.mark.parametrize(
    "mirror",
    ["ftp://host/models", "host/models", "https://", "https://me:secret@host/x", "https://host/x?a", "file:///x"],
)
def test_a_mirror_that_is_no_plain_address_is_refused_and_not_shown(
    mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOLENS_MIRROR", mirror)
    with pytest.raises(ConfigError, match="EMOLENS_MIRROR is no http or https address of a folder") as caught:
        zoo.pull(entry("http://127.0.0.1:9/some.onnx"))
    assert "secret" not in str(caught.value)


def test_every_entry_says_what_one_must_know_before_using_it() -> None:
    for one in zoo.entries().values():
        assert one.url.startswith("https://")
        assert all((one.licence, one.training_data, one.labels, one.preprocessing, one.about))
        assert all(figure.source.startswith("https://") for figure in one.metrics)


def test_no_two_files_have_one_name_on_a_mirror() -> None:
    names = [one.file_name for one in zoo.entries().values()]
    assert len(set(names)) == len(names)


def test_the_copies_that_are_here_are_the_files_that_are_described(shared_data: Path) -> None:
    one = zoo.entry("mediapipe-face-landmarker")
    copy = shared_data / "weights" / "face_landmarker.task"
    assert copy.stat().st_size == one.size
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == one.sha256
