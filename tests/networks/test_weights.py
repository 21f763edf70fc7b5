"""Where a training's first weights come from: a file, the embedded face model, timm."""

import http.server
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import timm  # noqa: E402
from huggingface_hub import constants  # noqa: E402
from pydantic import TypeAdapter  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from emolens.errors import ConfigError  # noqa: E402
from emolens.networks.base import Network  # noqa: E402
from emolens.networks.build import DlibResNetChoice, NetworkChoice  # noqa: E402
from emolens.probability import softmax  # noqa: E402
from emolens.runtime import OnnxModel  # noqa: E402
from emolens.zoo import embedded  # noqa: E402

LABELS = ("happy", "sad", "angry", "fear", "surprise")


def begin(labels: tuple[str, ...] = LABELS, channels: int = 3, size: Any = None, **keys: Any) -> Network:
    """A network as a new training has it."""
    choice = TypeAdapter(NetworkChoice).validate_python(keys)
    network = choice.build(len(labels), channels, size)
    choice.initialise(network, labels)
    return network.eval()


def test_the_weights_of_a_run_come_back_whole(tmp_path: Path) -> None:
    for name in ("face_resnet", "cnn48", "custom_cnn", "test_resnet"):
        trained = begin(name=name)
        save_file(trained.state_dict(), tmp_path / f"{name}.safetensors")
        state = begin(name=name, weights=tmp_path / f"{name}.safetensors").state_dict()
        assert all(torch.equal(value, state[name]) for name, value in trained.state_dict().items())


def test_other_labels_get_a_head_of_their_own(tmp_path: Path) -> None:
    trained = begin(name="cnn48")
    save_file(trained.state_dict(), tmp_path / "run.safetensors")
    network = begin(labels=LABELS[:3], name="cnn48", weights=tmp_path / "run.safetensors")
    assert network.head.out_features == 3
    state = network.features.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in trained.features.state_dict().items())


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext", "test_efficientnet"])
@pytest.mark.parametrize("classes", [1000, 7])
def test_a_file_of_timms_gives_the_features_that_it_gives_in_timm(name: str, classes: int, tmp_path: Path) -> None:
    original = timm.create_model(name, num_classes=classes).eval()
    save_file(original.state_dict(), tmp_path / "timm.safetensors")
    network = begin(name=name, weights=tmp_path / "timm.safetensors")
    images = torch.randn(2, 3, 160, 160)
    with torch.inference_mode():
        expected = original.forward_head(original.forward_features(images), pre_logits=True)
        torch.testing.assert_close(network.features(images), expected)


def test_a_file_of_timms_is_turned_into_what_grey_images_of_another_size_need(tmp_path: Path) -> None:
    original = timm.create_model("test_vit")
    save_file(original.state_dict(), tmp_path / "timm.safetensors")
    network = begin(name="test_vit", channels=1, size=(48, 48), weights=tmp_path / "timm.safetensors")
    colour, grey = original.patch_embed.proj.weight, network.features.patch_embed.proj.weight
    torch.testing.assert_close(grey, colour.sum(dim=1, keepdim=True))
    assert network.features.pos_embed.shape[1] < original.pos_embed.shape[1]
    assert network(torch.zeros(2, 1, 48, 48)).shape == (2, len(LABELS))


def test_a_shorter_network_begins_with_its_part_of_a_longer_ones_weights(tmp_path: Path) -> None:
    longer = begin(channels=1, name="dlib_resnet", blocks=3)
    save_file(longer.state_dict(), tmp_path / "dlib.safetensors")
    shorter = begin(channels=1, name="dlib_resnet", blocks=2, weights=tmp_path / "dlib.safetensors")
    assert shorter.head[1].in_features == 32
    state, whole = shorter.features.state_dict(), longer.features.state_dict()
    assert len(state) < len(whole)
    assert all(torch.equal(value, whole[name]) for name, value in state.items())


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    save_file(begin(name="custom_cnn").state_dict(), tmp_path / "run.safetensors")
    save_file(timm.create_model("test_resnet").state_dict(), tmp_path / "timm.safetensors")
    cases = [
        ("custom_cnn", 1, "run", "another shape of features.0.0.weight (32x3x3x3, not 32x1x3x3)"),
        ("cnn48", 3, "run", "it lacks features.0.3.weight, features.0.4.weight, features.0.4.bias and 47 more"),
        ("cnn48", 3, "timm", "the network has no bn1."),
        ("test_vit", 3, "timm", "it lacks cls_token"),
        ("test_byobnet", 3, "timm", "it lacks stem"),
    ]
    for name, channels, file, message in cases:
        with pytest.raises(ConfigError, match=f"{file}.safetensors is of another network: .*{re.escape(message)}"):
            begin(name=name, channels=channels, weights=tmp_path / f"{file}.safetensors")


def test_a_file_that_is_absent_or_no_safetensors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        begin(name="cnn48", weights=tmp_path / "absent.safetensors")
    pickled = tmp_path / "pickled.safetensors"
    torch.save({"head.weight": torch.zeros(3)}, pickled)
    for name in ("cnn48", "test_resnet"):
        with pytest.raises(ConfigError, match="is no safetensors file"):
            begin(name=name, weights=pickled)


def face_logits(network: Network, pixels: Any) -> Any:
    with torch.inference_mode():
        return network((torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - 0.4588) / 1.0039).numpy()


def test_init_face_answers_as_the_embedded_model_does_but_for_its_8_bits() -> None:
    model = OnnxModel(embedded()["face"], threads=1)
    network = begin(labels=model.card.labels, channels=1, name="dlib_resnet", init="face")
    pixels = np.random.default_rng(0).integers(0, 256, (16, 48, 48, 1), dtype=np.uint8)
    np.testing.assert_allclose(softmax(face_logits(network, pixels)), softmax(model.logits(pixels)), atol=0.03)


def test_init_face_computes_the_same_in_training_but_for_the_dropout() -> None:
    network = begin(channels=1, name="dlib_resnet", init="face", dropout=0)
    pixels = np.random.default_rng(0).integers(0, 256, (16, 48, 48, 1), dtype=np.uint8)
    asleep = face_logits(network, pixels)
    np.testing.assert_allclose(face_logits(network.train(), pixels), asleep, atol=1e-5)
    assert all(value.requires_grad for value in network.parameters())


def test_init_face_keeps_the_features_and_learns_a_head_for_other_labels() -> None:
    labels = OnnxModel(embedded()["face"], threads=1).card.labels
    same, other = (begin(labels=names, channels=1, name="dlib_resnet", init="face") for names in (labels, labels[::-1]))
    state = other.state_dict()
    different = {name for name, value in same.state_dict().items() if not torch.equal(value, state[name])}
    assert {name.split(".")[0] for name in different} == {"head"}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"channels": 3}, "another shape of features.conv32_down.conv.weight (32x1x7x7, not 32x3x7x7)"),
        ({"channels": 4}, "another shape of features.conv32_down.conv.weight (32x1x7x7, not 32x4x7x7)"),
        ({"blocks": 14}, "it lacks features.conv256_2."),
    ],
    ids=["colour", "four channels", "blocks"],
)
def test_init_face_refuses_a_network_of_another_shape(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        begin(**{"channels": 1, "name": "dlib_resnet", "init": "face", **keys})


def test_the_network_is_by_default_what_is_embedded() -> None:
    choice = DlibResNetChoice(name="dlib_resnet", init="face")
    labels = OnnxModel(embedded()["face"], threads=1).card.labels
    choice.initialise(choice.build(len(labels), 1), labels)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A hub at a local port that serves the files of a folder, and an empty cache."""
    folder = tmp_path / "hub"
    folder.mkdir()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(body=True)

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def answer(self, body: bool) -> None:
            file = folder / self.path.replace("/", "_")
            content = file.read_bytes() if file.is_file() else b""
            self.send_response(200 if file.is_file() else 404)
            self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("ETag", '"0123456789abcdef"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    point_to(monkeypatch, tmp_path, f"http://127.0.0.1:{server.server_port}")
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def point_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("EMOLENS_OFFLINE", raising=False)


REMEDY = "train with network.pretrained=false, or give a file that you have: network.weights=FILE.safetensors"


def test_pretrained_weights_are_downloaded_once(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = timm.create_model("test_resnet")
    served = hub / "_timm_test_resnet.r160_in1k_resolve_main_model.safetensors"
    save_file(original.state_dict(), served)
    first = begin(name="test_resnet", pretrained=True)
    served.unlink()
    monkeypatch.setenv("EMOLENS_OFFLINE", "1")
    second = begin(name="test_resnet.r160_in1k", pretrained=True)
    for network in (first, second):
        torch.testing.assert_close(network.features.conv1[0].weight, original.conv1[0].weight)


def test_weights_that_the_hub_has_only_pickled_are_refused(hub: Path) -> None:
    torch.save({}, hub / "_timm_test_resnet.r160_in1k_resolve_main_pytorch_model.bin")
    with pytest.raises(ConfigError, match=re.escape(REMEDY)):
        begin(name="test_resnet", pretrained=True)


@pytest.mark.parametrize("obstacle", ["nobody answers", "HF_HUB_OFFLINE", "EMOLENS_OFFLINE"])
def test_weights_out_of_reach_are_one_clear_line_at_once(
    obstacle: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    point_to(monkeypatch, tmp_path, "http://127.0.0.1:9")
    if obstacle == "HF_HUB_OFFLINE":
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    if obstacle == "EMOLENS_OFFLINE":
        monkeypatch.setenv("EMOLENS_OFFLINE", "1")
    start = time.perf_counter()
    with pytest.raises(ConfigError) as refusal:
        begin(name="test_resnet", pretrained=True)
    assert time.perf_counter() - start < 10
    assert REMEDY in str(refusal.value)
    assert "test_resnet" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_weights_that_timm_never_published_are_one_clear_line() -> None:
    with pytest.raises(ConfigError, match=f"timm has none; {re.escape(REMEDY)}"):
        begin(name="convnext_atto_rms", pretrained=True)


def test_nothing_is_read_or_downloaded_to_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    point_to(monkeypatch, tmp_path, "http://127.0.0.1:9")
    for keys in ({"pretrained": True}, {"weights": tmp_path / "absent.safetensors"}):
        choice = TypeAdapter(NetworkChoice).validate_python({"name": "test_resnet", **keys})
        assert choice.build(5, 3)(torch.zeros(2, 3, 64, 64)).shape == (2, 5)
