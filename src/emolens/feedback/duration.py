"""`90d` -> a span of time."""

import re
from datetime import timedelta

from emolens.errors import ConfigError

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365)}
_SPAN = re.compile(rf"(\d{{1,6}})([{''.join(_UNITS)}])", re.ASCII)
_LONGEST = timedelta(days=365 * 1000)


def parse_duration(text: str) -> timedelta:
    """Reads a whole number with a unit: hours `h`, days `d`, weeks `w`, years of 365 days `y`.

    Raises:
        ConfigError: it is something else, or over a thousand years.
    """
    read = _SPAN.fullmatch(text.strip().lower())
    span = int(read[1]) * _UNITS[read[2]] if read else None
    if span is None or span > _LONGEST:
        raise ConfigError(f"{text[:40]!r} is no span of time; write a whole number with h, d, w or y, such as 90d")
    return span
