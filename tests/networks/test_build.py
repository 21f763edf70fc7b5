"""What a recipe can say of a network, and how a wrong word is refused."""

import re
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from pydantic import BaseModel, ValidationError  # noqa: E402
from torch import nn  # noqa: E402

from emolens.errors import ConfigError  # noqa: E402
from emolens.networks.build import NetworkChoice  # noqa: E402


class Recipe(BaseModel):
    network: NetworkChoice


def choose(**keys: Any) -> Any:
    return Recipe.model_validate({"network": keys}).network


@pytest.mark.parametrize(
    "keys",
    [
        {"name": "dlib_resnet", "init": "face", "freeze": "stages:2"},
        {"name": "cnn48"},
        {"name": "custom_cnn", "weights": "begun.safetensors", "freeze": "backbone"},
        {"name": "resnet18", "pretrained": True, "freeze": "backbone", "head": {"hidden": 512, "dropout": 0.3}},
    ],
    ids=lambda keys: keys["name"],
)
def test_a_choice_comes_back_from_the_file_of_a_run_as_it_was(keys: dict[str, Any]) -> None:
    recipe = Recipe.model_validate({"network": keys})
    written = recipe.model_dump(mode="json")
    assert written["network"] | keys == written["network"]
    assert Recipe.model_validate(written) == recipe


@pytest.mark.parametrize(
    ("keys", "place", "message"),
    [
        (
            {},
            "network",
            "a network needs a name: face_resnet, cnn48, custom_cnn, emoji_cnn, dlib_resnet, or one of",
        ),
        ({"name": 7}, "network", "a network needs a name"),
        ({"name": "resnet19"}, "network.name", "no network of emolens or timm; did you mean 'resnet18'?"),
        ({"name": "cnn84"}, "network.name", "did you mean 'cnn48'?"),
        ({"name": "hf-hub:timm/resnet18.a1_in1k"}, "network.name", "no network of emolens or timm"),
        ({"name": "resnet50.a1_in2k"}, "network.name", "names no weights of timm; did you mean 'resnet50.a1_in1k'?"),
        ({"name": "cnn48", "freze": "none"}, "network.freze", "not permitted"),
        ({"name": "cnn48", "pretrained": True}, "network.pretrained", "not permitted"),
        ({"name": "resnet18", "head": {"hiden": 8}}, "network.head.hiden", "not permitted"),
        ({"name": "face_resnet", "widths": [0, 8]}, "network.widths.0", "greater than 0"),
        ({"name": "face_resnet", "widths": [8]}, "network", "1 widths and 4 blocks"),
        ({"name": "dlib_resnet", "init": "face", "weights": "a.safetensors"}, "network", "leave one of them out"),
        ({"name": "cnn48", "weights": "a.pt"}, "network.weights", "a.pt is no .safetensors file"),
        ({"name": "cnn48", "freeze": "stages:0"}, "network.freeze", "write backbone, none, or stages:N"),
        ({"name": "resnet18", "freeze": "backbone"}, "network", "keeps random weights"),
    ],
)
def test_a_wrong_choice_is_refused_in_words_at_its_own_key(keys: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)) as refusal:
        choose(**keys)
    assert [".".join(map(str, fault["loc"])) for fault in refusal.value.errors()] == [place]


@pytest.mark.parametrize(
    ("keys", "size", "message"),
    [
        ({"name": "cnn48"}, (64, 64), "network cnn48 cannot take images of 64x64 with 3 channels"),
        ({"name": "custom_cnn"}, (8, 8), "network custom_cnn cannot take images of 8x8"),
        ({"name": "test_vit"}, (8, 8), "network test_vit cannot take images of 8x8"),
        ({"name": "test_resnet", "pretrained": True, "freeze": "stages:9"}, (64, 64), "test_resnet has 4 stages"),
        ({"name": "pit_ti_224", "pretrained": True, "freeze": "stages:1"}, None, "timm knows no stages of pit_ti_224"),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_images_that_do_not_suit_a_network_and_stages_that_it_lacks_are_named(
    keys: dict[str, Any], size: tuple[int, int] | None, message: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        choose(**keys).build(3, 3, size)


def test_a_head_is_linear_or_has_one_hidden_layer() -> None:
    plain = choose(name="test_resnet").build(5, 3)
    hidden = choose(name="test_resnet", head={"hidden": 16, "dropout": 0.3}).build(5, 3)
    layers = [type(layer) for layer in hidden.head]
    assert [type(layer) for layer in plain.head if not isinstance(layer, nn.Dropout)] == [nn.Linear]
    assert layers == [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]
    assert (hidden.head[0].out_features, hidden.head[2].p, hidden.head[3].out_features) == (16, 0.3, 5)


@pytest.mark.parametrize("name", ["face_resnet", "cnn48", "custom_cnn", "test_resnet", "test_vit"])
def test_a_frozen_backbone_leaves_only_the_head_to_train(name: str) -> None:
    network = choose(name=name, weights="begun.safetensors", freeze="backbone").build(5, 3)
    network.eval()
    network.train()
    assert {name.split(".")[0] for name, value in network.named_parameters() if value.requires_grad} == {"head"}
    assert not any(part.training for part in network.features.modules() if list(part.parameters()))
    assert network.head.training


def test_stages_are_frozen_from_the_image_on() -> None:
    network = choose(name="resnet18", pretrained=True, freeze="stages:2").build(5, 3)
    frozen = {name.split(".")[1] for name, value in network.named_parameters() if not value.requires_grad}
    assert frozen == {"conv1", "bn1", "layer1", "layer2"}
    assert not network.features.layer2.training
    assert network.features.layer3.training


def test_every_stage_of_the_face_family_is_one_width() -> None:
    network = choose(name="face_resnet").build(5, 1)
    assert [max(len(value) for value in stage) for stage in network.stages()] == [32, 64, 128, 192]
    assert sum(len(stage) for stage in network.stages()) == len(list(network.features.parameters()))
