"""`emolens info`: what is installed here, for people and for bug reports."""

import re
from importlib import metadata

_COLLECTIONS = {"all", "dev", "docs"}


def info() -> None:
    """Print versions, devices, extras, and the models with the places they are kept at."""
    import platform

    import onnxruntime

    from emolens import __version__, zoo

    extras = _extras()
    embedded = [f"{name} ({path.stat().st_size:,} bytes)" for name, path in zoo.embedded().items()]
    rows = {
        "emolens": __version__,
        "python": f"{platform.python_version()}, {platform.platform()}",
        "onnxruntime": f"{onnxruntime.__version__}, {', '.join(onnxruntime.get_available_providers())}",
        "extras": ", ".join(name for name, complete in extras.items() if complete) or "none",
        "absent extras": ", ".join(name for name, complete in extras.items() if not complete) or "none",
        "embedded models": ", ".join(embedded) or "none",
        "model cache": str(zoo.cache_folder()),
        "cached models": ", ".join(name for name, entry in zoo.entries().items() if entry.path.is_file()) or "none",
    }
    for name, value in rows.items():
        print(f"{name + ':':<17}{value}")


def _extras() -> dict[str, bool]:
    """Per extra that brings a feature, whether all of its packages are installed."""
    needed: dict[str, list[str]] = {}
    for requirement in metadata.requires("emolens") or ():
        found = re.fullmatch(r"([\w.-]+).*;.*extra == ['\"]([\w-]+)['\"]", requirement)
        if found and found[2] not in _COLLECTIONS:
            needed.setdefault(found[2], []).append(found[1])
    return {extra: all(map(_is_installed, packages)) for extra, packages in sorted(needed.items())}


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
