"""Weights from safetensors files into networks: those of a run, and those of timm."""

import logging
from collections.abc import Mapping
from pathlib import Path

import timm
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import Module

from emolens.errors import ConfigError
from emolens.networks.base import Network
from emolens.networks.timm_network import TimmNetwork
from emolens.settings import find_run

logger = logging.getLogger(__name__)

Shapes = dict[str, tuple[int, ...]]

_NAMED = 3  # of the weights that do not fit, so that the message stays readable
_LONGEST = 160


def load_weights(network: Network, path: Path) -> None:
    """Puts the weights of a `.safetensors` file into a network; its head only where that has the same shape.

    Args:
        network: of any kind.
        path: the weights of a run of the same network, or of timm's model of that name, of any number of classes; those
            are turned into what this number of channels and this size of image need.

    Raises:
        ConfigError: the file cannot be read, or is of another network; the message says what does not fit.
    """
    path = find_run(path)
    shapes, wanted = _shapes_in(path), _shapes_of(network.state_dict())
    if isinstance(network, TimmNetwork) and not any(name in wanted for name in shapes if not _is_head(name)):
        _load_from_timm(network, path, shapes)
        return
    loaded = {name: value for name, value in load_file(path).items() if not name.startswith(network.left_out)}
    if _head_of(shapes) != _head_of(wanted):
        logger.info("%s has another head, so that this one is learnt from the beginning", path)
        loaded = with_head_of(network, loaded)
    load_state(network, loaded, str(path))


def load_all(network: Module, path: Path) -> None:
    """Puts the weights of a `.safetensors` file into a network of the very same shape.

    Raises:
        ConfigError: the file cannot be read, or is of another network; the message says what does not fit.
    """
    path = find_run(path)
    _shapes_in(path, "weights")  # tells what is wrong with a file that cannot be read
    load_state(network, load_file(path), str(path))


def load_state(network: Module, state: dict[str, Tensor], source: str) -> None:
    """Puts all weights of a network in; `source` is where they come from, for the message.

    Raises:
        ConfigError: they are not exactly those that the network has.
    """
    found, wanted = _shapes_of(state), _shapes_of(network.state_dict())
    if found != wanted:
        raise _misfit(source, found, wanted)
    network.load_state_dict(state)


def with_head_of(network: Network, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights, but with the head that the network has now."""
    features = {name: value for name, value in state.items() if not _is_head(name)}
    return features | {name: value for name, value in network.state_dict().items() if _is_head(name)}


def _shapes_in(path: Path, key: str = "network.weights") -> Shapes:
    """Of the tensors in a file; `key` is the recipe's that names it, for the message."""
    try:
        with safe_open(path, "pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except FileNotFoundError:
        raise ConfigError(f"{key}: there is no file {path}") from None
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{key}: {path} is no safetensors file: {_short(str(error))}") from None


def _load_from_timm(network: TimmNetwork, path: Path, shapes: Shapes) -> None:
    """Lets timm load its own layout into a network of its own, which knows every conversion, and takes the features."""
    classifiers = network.features.pretrained_cfg.get("classifier") or ""
    classifier = classifiers if isinstance(classifiers, str) else classifiers[0]
    classes = shapes.get(f"{classifier}.weight", (0,))[0]
    # timm forgives what is missing unless the number of classes is the one it expects.
    source = {"file": str(path), "custom_load": False, "num_classes": classes, "label_offset": 0}
    try:
        donor = timm.create_model(
            network.name, pretrained=True, pretrained_cfg_overlay=source, num_classes=classes, **network.arguments
        )
        given = donor.state_dict()
        network.features.load_state_dict({name: given[name] for name in network.features.state_dict()})
    except Exception as error:  # noqa: BLE001 (the conversions raise whatever a foreign file makes them stumble over)
        features = {name: shape for name, shape in shapes.items() if name.rpartition(".")[0] != classifier}
        raise _misfit(str(path), features, _shapes_of(network.features.state_dict()), str(error)) from None


def _shapes_of(state: Mapping[str, Tensor]) -> Shapes:
    return {name: tuple(value.shape) for name, value in state.items()}


def _head_of(shapes: Shapes) -> Shapes:
    return {name: shape for name, shape in shapes.items() if _is_head(name)}


def _is_head(name: str) -> bool:
    return name.startswith("head.")


def _misfit(source: str, found: Shapes, wanted: Shapes, reason: str = "") -> ConfigError:
    other = [name for name in wanted if name in found and found[name] != wanted[name]]
    faults = [
        ("it lacks {}", [name for name in wanted if name not in found]),
        ("the network has no {}", [name for name in found if name not in wanted]),
        (
            "it has another shape of {}",
            [f"{name} ({_times(found[name])}, not {_times(wanted[name])})" for name in other],
        ),
    ]
    told = "; ".join(sentence.format(_first(names)) for sentence, names in faults if names) or _short(reason)
    return ConfigError(f"{source} is of another network: {told}; name the network that it was made by")


def _first(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a number"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
