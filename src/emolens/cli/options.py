"""Options that several commands have, declared once."""

from typing import Annotated, Literal

import typer

Weights = Annotated[
    list[float] | None, typer.Option("--weight", metavar="X", help="What a model counts among several; one for each.")
]
Views = Annotated[
    Literal["flip", "full"] | None, typer.Option("--tta", help="Test-time augmentation: slower, somewhat better.")
]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option("--device", help="Where the models run.")]
