"""`emolens predict`: images in, emotions and reactions out."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emolens.cli.options import Device, Views, Weights
from emolens.cli.terminal import tracked
from emolens.text import printable

if TYPE_CHECKING:
    from emolens.cli.album import Album
    from emolens.cli.inputs import Item
    from emolens.image import Limits
    from emolens.predictor import Predictor
    from emolens.results import Failure, Prediction


def predict(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Files, folders, quoted patterns, or - for stdin.")
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE", help="The emotion model; several of them answer together.", show_default="face"
        ),
    ] = None,
    weight: Weights = None,
    tta: Views = None,
    detector: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="The face detector; none takes the whole image for one face.")
    ] = "detector",
    detector_size: Annotated[
        str, typer.Option(metavar="N|native", help="Longest side, in pixels, at which faces are searched.")
    ] = "1024",
    device: Device = "auto",
    format: Annotated[Literal["table", "json", "jsonl", "csv", "parquet"], typer.Option(help="How to write it.")] = (
        "table"
    ),
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there instead of stdout.")] = None,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write pictures with boxes, labels and bars there.")
    ] = None,
    show_scores: Annotated[
        bool, typer.Option("--show-scores", help="Add all probabilities to the table and the CSV.")
    ] = False,
    policy: Annotated[
        str, typer.Option(metavar="FILE", help="The policy that says which reactions fit: a YAML file or a name.")
    ] = "social",
    threshold: Annotated[
        float | None, typer.Option(metavar="X", help="From which probability an emotion counts as found, 0 to 1.")
    ] = None,
    crop_emoji: Annotated[
        bool, typer.Option("--crop-emoji", help="With a model of emoji: find each emoji on a plain background.")
    ] = False,
    recursive: Annotated[bool, typer.Option("--recursive", help="Look into the sub-folders of folders, too.")] = False,
) -> None:
    """Find the faces of images, their emotions, and the emoji reactions that fit.

    Exit code: 0 all done, 1 some inputs failed (each is named on stderr), 2 wrong usage or configuration.
    """
    from emolens.cli.inputs import gather
    from emolens.cli.output import binary_destination, destination
    from emolens.cli.render import write
    from emolens.image import Limits
    from emolens.predictor import load

    if format == "parquet":
        _check_parquet(output)
    limits = Limits.from_environment()
    predictor = load(
        model or "face",
        weights=weight,
        tta=tta,
        detector=None if detector == "none" else detector,
        policy=policy,
        device=device,
        threshold=threshold,
        detector_size=_size(detector_size),
        limits=limits,
        crop_emoji=crop_emoji,
    )
    found = gather(inputs, recursive, limits)
    album = _album(annotate, found.items, limits) if annotate else None
    failed: list[Failure] = []
    results = _reported(_predicted(predictor, found.items), album, failed)
    terminal_is_free = output is not None or format == "table" or not sys.stdout.isatty()
    shown = tracked(results, len(found.items)) if terminal_is_free else results
    if format == "parquet":
        from emolens.cli.parquet import write_parquet

        assert output is not None  # checked
        with binary_destination(output) as file:
            write_parquet(shown, file, predictor.model.card.labels)
    else:
        with destination(output) as stream:
            write(format, shown, stream, predictor.model.card.labels, show_scores)
    if found.skipped:
        print(f"emolens: files of folders that are no images, skipped: {found.skipped}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def _album(folder: Path, items: "Sequence[Item]", limits: "Limits") -> "Album":
    from emolens.cli.album import Album  # it brings fonts and drawing, which cost start-up time

    return Album(folder, items, limits)


def _check_parquet(output: Path | None) -> None:
    from emolens.cli.extras import needing
    from emolens.errors import ConfigError

    if output is None:
        raise ConfigError("a Parquet file is no text; name one with --output FILE")
    with needing("evaluate", "to write Parquet"):
        import pyarrow  # noqa: F401


def _size(text: str) -> int | None:
    if text in ("native", "0"):
        return None
    if not text.isdecimal() or not 32 <= int(text) <= 16384:
        raise typer.BadParameter(f"--detector-size is a number of pixels, 32 to 16384, or native; not '{text}'")
    return int(text)


def _predicted(predictor: "Predictor", items: "Sequence[Item]") -> "Iterator[tuple[Item, Prediction | Failure]]":
    """Every item with its result; what is not there needs no predictor."""
    from emolens.cli.inputs import STDIN
    from emolens.results import Failure, renamed

    with closing(predictor.predict_many(item for item in items if not isinstance(item, Failure))) as results:
        for item in items:
            result = item if isinstance(item, Failure) else next(results)
            yield item, renamed(result, STDIN) if isinstance(item, bytes) else result


def _reported(
    pairs: "Iterable[tuple[Item, Prediction | Failure]]", album: "Album | None", failed: "list[Failure]"
) -> "Iterator[Prediction | Failure]":
    """The results; failures are named on stderr and noted in `failed`, the others go into the album."""
    from emolens.errors import ImageError
    from emolens.results import Failure

    for item, result in pairs:
        if album and not isinstance(result, Failure):
            try:
                album.add(item, result)
            except ImageError as error:  # the file has changed since it was read
                result = Failure.from_error(result.input, error)
        if isinstance(result, Failure):
            failed.append(result)
            print(f"emolens: {printable(result.message)} ({result.code})", file=sys.stderr)
        yield result
