"""timm's pretrained weights from the Hugging Face hub: safetensors only, and a clear word where it is out of reach."""

from pathlib import Path

import timm
from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache

from emolens import settings
from emolens.errors import ConfigError

_FILE = "model.safetensors"
_TIMEOUT_S = 10


def pretrained_weights(name: str) -> Path:
    """The file of timm's weights of that name, downloaded unless the hub's cache has it.

    Raises:
        ConfigError: timm has no weights of that name, they cannot be downloaded, or `EMOLENS_OFFLINE=1` forbids it.
    """
    pretraining = timm.get_pretrained_cfg(name)
    repository = pretraining and pretraining.hf_hub_id
    if not repository:
        raise _unavailable(name, "timm has none")
    cached = try_to_load_from_cache(repository, _FILE)
    if isinstance(cached, str):
        return Path(cached)
    if settings.offline():
        raise _unavailable(name, "EMOLENS_OFFLINE=1 forbids downloads")
    try:
        # A download tries again for half a minute before it says that there is no network; this question does not.
        get_hf_file_metadata(hf_hub_url(repository, _FILE), timeout=_TIMEOUT_S)
        return Path(hf_hub_download(repository, _FILE))
    except Exception as error:  # noqa: BLE001 (each of its releases raises the errors of another HTTP library)
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise _unavailable(name, f"{repository}/{_FILE} cannot be downloaded: {reason[:200]}") from None


def _unavailable(name: str, reason: str) -> ConfigError:
    return ConfigError(
        f"no pretrained weights for {name}: {reason}; train with network.pretrained=false, "
        "or give a file that you have: network.weights=FILE.safetensors"
    )
