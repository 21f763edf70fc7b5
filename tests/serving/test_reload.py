"""Model files that are replaced while the application runs."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from detectors import MagentaPatches
from emolens.detect.base import Detections
from emolens.serving import reload
from models import make_model_file
from pictures import picture

Serve = Callable[..., TestClient]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model that is served; it is looked at every few milliseconds, so that it is still soon."""
    monkeypatch.setattr(reload, "_SECONDS", 0.1)
    return make_model_file(tmp_path / "mine.onnx", bias={"happy": 100})


@pytest.fixture
def sad(tmp_path: Path) -> Path:
    """Another model, not yet in its place."""
    (tmp_path / "new").mkdir()
    return make_model_file(tmp_path / "new" / "mine.onnx", bias={"sad": 100}, version="2")


@pytest.fixture
def client(serve: Serve, file: Path) -> TestClient:
    return serve(models=str(file))


def found(client: TestClient) -> str:
    answer = client.post("/predict", content=picture((10, 20, 40, 50)), headers={"Content-Type": "image/png"})
    emotion: str = answer.json()["prediction"]["dominant_emotion"]
    return emotion


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    pytest.fail("it has not come to that")


def reloads(client: TestClient, result: str) -> int:
    text = client.get("/metrics").text
    counts = [line.split()[-1] for line in text.splitlines() if "reloads_total{" in line and result in line]
    return int(float(counts[0])) if counts else 0


def test_a_file_that_takes_the_place_of_another_is_the_model_from_then_on(
    client: TestClient, file: Path, sad: Path, log: Callable[[], list[dict[str, Any]]]
) -> None:
    assert found(client) == "happy"
    sad.replace(file)
    until(lambda: found(client) == "sad")
    (model,) = client.get("/models").json()["models"]
    assert (model["version"], model["default"]) == ("2", True)
    text = client.get("/metrics").text
    assert f'emolens_model_info{{model="mine",sha256="{model["sha256"]}",version="2"}} 1.0' in text
    assert 'version="1"} 0.0' in text
    assert reloads(client, "done") == 1
    assert [line for line in log() if line.get("sha256") == model["sha256"]]


def test_a_file_that_is_written_in_place_is_opened_when_it_is_whole(
    client: TestClient, file: Path, sad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "_SECONDS", 1.0)  # ten times as long as the pauses below, also on a busy machine
    time.sleep(0.1)
    content = sad.read_bytes()
    with file.open("wb") as writing:
        for start in range(0, len(content), len(content) // 8 + 1):
            writing.write(content[start : start + len(content) // 8 + 1])
            writing.flush()
            time.sleep(0.1)
        assert found(client) == "happy"
    until(lambda: found(client) == "sad")
    assert (reloads(client, "done"), reloads(client, "failed")) == (1, 0)


@pytest.mark.parametrize("content", [b"", b"no model at all", None])
def test_a_broken_file_is_told_once_and_the_old_model_stays(
    client: TestClient, file: Path, sad: Path, content: bytes | None, log: Callable[[], list[dict[str, Any]]]
) -> None:
    file.write_bytes(sad.read_bytes()[:-100] if content is None else content)
    until(lambda: reloads(client, "failed") == 1)
    time.sleep(0.4)
    assert reloads(client, "failed") == 1
    assert len([line for line in log() if "why" in line]) == 1
    assert found(client) == "happy"
    sad.replace(file)
    until(lambda: found(client) == "sad")


def test_a_file_that_is_gone_changes_nothing(client: TestClient, file: Path) -> None:
    file.unlink()
    time.sleep(0.4)
    assert found(client) == "happy"
    assert reloads(client, "failed") == 0


def test_the_same_file_anew_is_no_other_model(client: TestClient, file: Path, tmp_path: Path) -> None:
    shutil.copy(file, tmp_path / "copy.onnx").replace(file)
    time.sleep(0.4)
    assert reloads(client, "done") == 0


class HeldUp(MagentaPatches):
    """Finds nothing before it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.free, self.begun = threading.Event(), threading.Event()

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        self.begun.set()
        self.free.wait(10)
        return super().detect(image)


@pytest.fixture
def held_up() -> Iterator[HeldUp]:
    detector = HeldUp()
    yield detector
    detector.free.set()


def test_what_the_old_model_has_begun_it_ends_and_its_thread_ends_with_it(
    serve: Serve, file: Path, sad: Path, held_up: HeldUp
) -> None:
    client = serve(held_up, models=str(file))
    classifying = {thread for thread in threading.enumerate() if thread.name.startswith("emolens-classify")}
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(found, client)
        held_up.begun.wait(10)
        sad.replace(file)
        until(lambda: reloads(client, "done") == 1)
        held_up.free.set()
        assert begun.result() == "happy"
    assert found(client) == "sad"
    until(lambda: not any(thread.is_alive() for thread in classifying))
    alive = [thread for thread in threading.enumerate() if thread.name.startswith("emolens-classify")]
    assert len(alive) == 1


def test_a_failing_graph_is_not_put_in(client: TestClient, file: Path, sad: Path) -> None:
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(sad)
    (bias,) = (one for one in graph.graph.initializer if one.name == "bias")
    bias.CopyFrom(numpy_helper.from_array(np.full(8, np.nan, np.float32), "bias"))
    onnx.save(graph, sad)
    sad.replace(file)
    until(lambda: reloads(client, "failed") == 1)
    assert found(client) == "happy"
