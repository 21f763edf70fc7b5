"""Probabilities in words, and text of others, such as file names and labels, made fit to be shown."""


def percent(probability: float) -> str:
    """A probability as people say it; what is not nothing is never shown as nothing."""
    return "<1%" if 0 < probability <= 0.005 else f"{100 * probability:.0f}%"


def printable(text: str) -> str:
    """The text with escapes for what could steer a terminal, or the pen of a picture."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def printable_lines(text: str) -> str:
    """The same of text whose line ends are ours."""
    return "\n".join(map(printable, text.split("\n")))


def encodable(name: str) -> str:
    """The text with escapes for what stands in a file's name and is none, so that it can be written as UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
