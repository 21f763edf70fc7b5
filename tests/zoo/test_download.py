"""A download ends with the whole, right file, or with one line and nothing that could be taken for it."""

import hashlib
import logging
import multiprocessing
import time
from pathlib import Path
from threading import Event, Thread

import filelock
import pytest

from emolens.errors import ConfigError, ModelError
from emolens.zoo.download import download
from file_server import CONTENT, HALF, FileServer

SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def fetch(url: str, path: Path, silence_s: float = 5) -> None:
    download(url, path, len(CONTENT), SHA256, silence_s)


def partial(path: Path) -> Path:
    return path.with_name(f".model.onnx.{SHA256[:8]}.part")


def refusal(url: str, path: Path, silence_s: float = 5) -> str:
    with pytest.raises(ModelError) as caught:
        fetch(url, path, silence_s)
    assert not path.exists()
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(url)
    return str(caught.value)


def test_a_file_arrives_whole_and_leaves_no_part(server: FileServer, path: Path) -> None:
    fetch(server.address("whole"), path)
    assert path.read_bytes() == CONTENT
    assert not partial(path).exists()
    assert [wanted for _, wanted in server.asked] == [None]


def test_a_download_that_is_cut_off_goes_on_where_it_ended(server: FileServer, path: Path) -> None:
    fetch(server.address("cut"), path)
    assert path.read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [None, f"bytes={HALF}-"]


def test_a_download_that_stalls_goes_on_where_it_ended(server: FileServer, path: Path) -> None:
    fetch(server.address("stall"), path, silence_s=0.3)
    assert path.read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [None, f"bytes={HALF}-"]


def test_a_server_without_ranges_begins_again(server: FileServer, path: Path) -> None:
    fetch(server.address("cut-once-without-ranges"), path)
    assert path.read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_a_server_that_always_cuts_off_is_given_up_and_the_part_is_kept(server: FileServer, path: Path) -> None:
    said = refusal(server.address("cut-without-ranges"), path)
    assert f"cut off after {HALF:,} of {len(CONTENT):,} bytes; what has arrived is kept" in said
    assert partial(path).read_bytes() == CONTENT[:HALF]
    assert len(server.asked) == 2


def test_a_later_call_takes_up_what_an_earlier_one_has_left(server: FileServer, path: Path) -> None:
    refusal(server.address("cut-without-ranges"), path)
    server.asked.clear()
    fetch(server.address("whole"), path)
    assert path.read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [f"bytes={HALF}-"]
    assert not partial(path).exists()


@pytest.mark.parametrize("left", [b"damaged", b"x" * len(CONTENT), CONTENT + b"x"])
@pytest.mark.parametrize("way", ["whole", "unsatisfiable"])
def test_a_part_that_was_damaged_costs_another_download_and_no_error(
    left: bytes, way: str, server: FileServer, path: Path
) -> None:
    partial(path).write_bytes(left)
    fetch(server.address(way), path)
    assert path.read_bytes() == CONTENT


def test_a_range_that_begins_elsewhere_is_not_appended(server: FileServer, path: Path) -> None:
    partial(path).write_bytes(CONTENT[:HALF])
    fetch(server.address("elsewhere"), path)
    assert path.read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [f"bytes={HALF}-", None]


def test_a_whole_part_needs_no_server(path: Path) -> None:
    partial(path).write_bytes(CONTENT)
    fetch("http://127.0.0.1:9/nobody-listens", path)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("wrong", f"its sha256 is not {SHA256}"),
        ("endless", f"it has more than {len(CONTENT):,} bytes"),
        ("long", f"it has more than {len(CONTENT):,} bytes"),
        ("very-long", f"it has more than {len(CONTENT):,} bytes"),
        ("short", f"it has {HALF:,} bytes instead of {len(CONTENT):,}"),
    ],
)
def test_another_file_is_refused_and_nothing_of_it_is_kept(way: str, said: str, server: FileServer, path: Path) -> None:
    assert said in refusal(server.address(way), path)
    assert not partial(path).exists()


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("404", "the server answers 404 Not Found; update emolens, or check EMOLENS_MIRROR"),
        ("500", "the server answers 500 Internal Server Error; try again later"),
        ("408", "the server answers 408 Request Timeout; try again later"),
        ("425", "the server answers 425 Too Early; try again later"),
        ("429", "the server answers 429 Too Many Requests; try again later"),
        ("loop", "infinite loop"),
        ("to-a-file", "'file:///etc/hostname' is not allowed"),
        ("to-ftp", "unknown url type: ftp"),
    ],
)
def test_an_answer_that_is_no_file_is_named(way: str, said: str, server: FileServer, path: Path) -> None:
    assert said in refusal(server.address(way), path)
    assert len(server.asked) < 8
    assert not partial(path).exists()


def test_a_redirect_is_followed(server: FileServer, path: Path) -> None:
    fetch(server.address("moved"), path)
    assert path.read_bytes() == CONTENT


def test_what_stands_beside_a_new_address_is_not_read(server: FileServer, path: Path) -> None:
    fetch(server.address("moved-with-much-to-say"), path)
    assert path.read_bytes() == CONTENT
    assert not server.drunk


def test_a_size_of_thousands_of_digits_is_none(server: FileServer, path: Path) -> None:
    fetch(server.address("long-number"), path)
    assert path.read_bytes() == CONTENT


def test_a_link_in_the_place_of_the_part_is_not_written_through(server: FileServer, path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"precious")
    partial(path).symlink_to(other)
    fetch(server.address("whole"), path)
    assert path.read_bytes() == CONTENT
    assert not path.is_symlink()
    assert other.read_bytes() == b"precious"


def test_a_server_that_does_not_answer_is_given_up(server: FileServer, path: Path) -> None:
    assert "nothing came for 0.3 seconds; try again later" in refusal(server.address("deaf"), path, silence_s=0.3)
    assert len(server.asked) == 1


def test_nobody_who_listens_is_one_line(path: Path) -> None:
    assert "refused" in refusal("http://127.0.0.1:9/model.onnx", path)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/model.onnx", "data:,model"])
def test_only_http_is_spoken(url: str, path: Path) -> None:
    assert "unknown url type" in refusal(url, path)


def test_a_folder_that_cannot_be_written_names_the_setting(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / ".model.onnx.lock").mkdir()  # even root cannot write to a folder
    with pytest.raises(ConfigError, match=r"cannot be written.*EMOLENS_MODELS"):
        fetch(server.address("whole"), tmp_path / "model.onnx")


def test_who_waits_for_another_process_is_told(
    server: FileServer, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "emolens")
    held = Event()

    def hold() -> None:
        with filelock.FileLock(path.with_name(".model.onnx.lock")):
            held.set()
            time.sleep(0.3)

    other = Thread(target=hold)
    other.start()
    held.wait()
    fetch(server.address("whole"), path)
    other.join()
    assert caplog.messages == [f"another process is downloading {path}; waiting for it"]


def test_one_download_does_not_wait_for_that_of_another_file(
    server: FileServer, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "emolens")
    with filelock.FileLock(path.with_name(".other.onnx.lock")), filelock.FileLock(path.with_name(".lock")):
        fetch(server.address("whole"), path)
    assert not caplog.messages


def test_of_two_processes_one_downloads_and_both_have_the_file(server: FileServer, path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    both = [spawn.Process(target=download, args=(server.address("cut"), path, len(CONTENT), SHA256)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert path.read_bytes() == CONTENT
    assert len(server.asked) == 2
