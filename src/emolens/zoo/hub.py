"""Model files on the Hugging Face hub: `hf://owner/repo/file.onnx` -> a file in the hub's cache, and the way back."""

import re
from pathlib import Path
from types import ModuleType

from emolens import settings
from emolens.errors import ConfigError, MissingExtraError, ModelError
from emolens.session import file_hash

SCHEME = "hf://"

_ADDRESS = re.compile(
    r"hf://(?!.*\.\.)([\w.-]+/[\w.-]+)(?:@([\w.+-]+))?/((?:[\w.-][\w .-]*/)*[\w.-][\w .-]*\.onnx)", re.ASCII
)
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIMEOUT_S = 10
# No ONNX file is larger, since none of its parts may lie in other files.
_LARGEST = 2**31
_REFUSALS = {
    401: "the hub does not know you; set HF_TOKEN to a token that may write, or log in with `hf auth login`",
    403: "your token may not write there; take one that may",
}
_US = {"library_name": "emolens"}


def fetch(address: str) -> Path:
    """The model file at an address of the hub, downloaded unless the hub's cache has the current one.

    What is in the cache serves, too, where the hub cannot be reached. The file is not opened here: whoever does that
    refuses what is no model file.

    Args:
        address: `hf://owner/repo/file.onnx`, or with a branch, tag or commit: `hf://owner/repo@revision/file.onnx`.

    Raises:
        ModelError: it is no such address; there is no such repository, revision or file, or one that is not ours to
            read; the hub cannot be reached and the cache has no copy; or the copy is damaged.
        MissingExtraError: the extra `hub` is not installed.
    """
    parts = _ADDRESS.fullmatch(address)
    if not parts:
        raise ModelError(
            f"{address!r} is no address of a model file on the hub; write hf://owner/repo/file.onnx, "
            "or hf://owner/repo@revision/file.onnx"
        )
    repository, revision, name = parts.groups()
    hub = _library()
    errors = hub.errors
    try:
        unreachable = _unreachable(hub, repository, revision, name)
        path = Path(hub.hf_hub_download(repository, name, revision=revision, local_files_only=bool(unreachable), **_US))
    except ModelError:
        raise
    except errors.GatedRepoError:
        raise ModelError(f"{address}: its owner grants access on the hub; ask there, then set HF_TOKEN") from None
    except errors.RepositoryNotFoundError:
        raise ModelError(
            f"{address}: the hub has no repository {repository}, or a private one; check the name, or set HF_TOKEN"
        ) from None
    except errors.RevisionNotFoundError:
        raise ModelError(f"{address}: {repository} has no revision '{revision or 'main'}'; check the name") from None
    except errors.LocalEntryNotFoundError:
        reason = unreachable or "the hub cannot be reached"
        raise ModelError(f"{address} is not in the cache, and {reason}; fetch it once with a network") from None
    except errors.EntryNotFoundError:
        raise ModelError(f"{address}: {repository} has no file {name}; check the name") from None
    except Exception as error:  # noqa: BLE001 (each release raises the errors of another HTTP library)
        raise ModelError(f"{address} cannot be fetched: {_first_line(error)}; try again later") from None
    _check_copy(path, address)
    return path


def push(path: Path, repository: str, name: str, readme: str, private: bool) -> str:
    """Uploads a model file and the page that goes with it, in one commit; the repository is made if need be.

    Args:
        path: of the model file.
        repository: `owner/repo`.
        name: of the file there.
        readme: Markdown; becomes the repository's README.md.
        private: whether nobody else may see it.

    Returns:
        The address that `fetch` takes.

    Raises:
        ModelError: the hub cannot be reached or refuses, or the repository is public and should not be.
        ConfigError: the names cannot be used, or `EMOLENS_OFFLINE=1` forbids it.
        MissingExtraError: the extra `hub` is not installed.
    """
    address = f"{SCHEME}{repository}/{name}"
    if not _REPOSITORY.fullmatch(repository) or not _ADDRESS.fullmatch(address):
        raise ConfigError(f"{repository!r} and {name!r} make no address; give OWNER/REPO and --path NAME.onnx")
    if settings.offline():
        raise ConfigError("EMOLENS_OFFLINE=1 forbids the network; unset it to push")
    hub = _library()
    header = "---\nlibrary_name: emolens\ntags: [emolens, onnx, emotion-recognition]\n---\n\n"
    try:
        api = hub.HfApi(**_US)
        api.create_repo(repository, private=private or None, exist_ok=True)
        if private and not api.repo_info(repository).private:
            raise ModelError(f"{repository} is there already and public; make it private on the hub, or name another")
        files = {name: path, "README.md": (header + readme).encode()}
        additions = [hub.CommitOperationAdd(where, what) for where, what in files.items()]
        api.create_commit(repository, additions, commit_message=f"Add {name}")
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001 (as in `fetch`)
        reason = _REFUSALS.get(_status(error), f"{_first_line(error)}; try again later")
        raise ModelError(f"{address} cannot be pushed: {reason}") from None
    return address


def _unreachable(hub: ModuleType, repository: str, revision: str | None, name: str) -> str:
    """Asks the hub for a file: why only the cache can have it, or nothing where the hub has it to give."""
    if settings.offline():
        return "EMOLENS_OFFLINE=1 forbids downloads"
    url, errors = hub.hf_hub_url(repository, name, revision=revision), hub.errors
    try:
        # A download tries again for half a minute before it says that there is no network; this question does not.
        size = hub.get_hf_file_metadata(url, timeout=_TIMEOUT_S, **_US).size or 0
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.EntryNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001 (as in `fetch`)
        return f"the hub cannot be reached ({_first_line(error)})"
    if size > _LARGEST:
        raise ModelError(f"{url} has {size:,} bytes, and no ONNX file has so many; name another file")
    return ""


def _library() -> ModuleType:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ModuleNotFoundError:
        raise MissingExtraError("hub", "to use models on the Hugging Face hub") from None
    return huggingface_hub


def _check_copy(path: Path, address: str) -> None:
    """The hub's cache names large files by their sha256, and links to them."""
    stored = path.resolve()
    if _SHA256.fullmatch(stored.name) and file_hash(stored) != stored.name:
        raise ModelError(f"{address}: its copy in the cache is damaged; delete {stored} and try again")


def _status(error: Exception) -> int:
    """The hub's answer, or 0 where there was none."""
    return int(getattr(getattr(error, "response", None), "status_code", 0))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
