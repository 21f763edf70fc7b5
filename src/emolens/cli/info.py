"""`emolens info`: what is installed here, for people and for bug reports."""

import os
import re
from importlib import metadata

_COLLECTIONS = {"all", "dev", "docs"}


def info() -> None:
    """Print versions, devices, extras, models, and the settings in force with where each comes from."""
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
    for name, value in (rows | _settings()).items():
        print(f"{name + ':':<20}{value}")


def _settings() -> dict[str, str]:
    """Every variable that emolens reads, and those that look as if it did."""
    from emolens import settings, zoo
    from emolens.image import Limits

    defaults: dict[str, object] = {
        settings.MODELS: zoo.cache_folder(),
        settings.MAX_BYTES: Limits.max_bytes,
        settings.MAX_PIXELS: Limits.max_pixels,
    }
    rows = {}
    for name in settings.SETTINGS:
        if name in settings.SERVE and not os.environ.get(name):
            continue  # `emolens serve --show-settings` has their defaults
        value = settings.folder(name) if name in settings.FOLDERS else os.environ.get(name)
        shown = str(value or defaults.get(name, "none"))
        if name in (settings.MIRROR, settings.FEEDBACK_URL):
            shown = re.sub("//.*@", "//...@", shown)  # a password has no place in a bug report
        if name in settings.SECRETS:
            shown = "**********"
        rows[name] = f"{shown} ({settings.source(name)})"
    # Their values stay unsaid: whatever another program keeps there has no place in a bug report.
    strange = sorted(name for name in os.environ if name.startswith(settings.PREFIX) and name not in rows)
    return rows | dict.fromkeys(strange, "is no setting of emolens")


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
