"""`emolens policy`: print an embedded policy to start from, and check one's own."""

from pathlib import Path
from typing import Annotated

import typer

from emolens.errors import EXIT_CODES, PolicyError
from emolens.policy import Policy, embedded_text

app = typer.Typer(
    name="policy",
    help="Print and check policies: which emoji fit which emotion.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command()
def show(name: Annotated[str, typer.Argument(help="An embedded policy.")] = "social") -> None:
    """Print an embedded policy as YAML: emolens policy show > mine.yaml."""
    # Bytes, so that a terminal or pipe of another encoding cannot change the file.
    typer.echo(embedded_text(name).encode(), nl=False)


@app.command()
def check(file: Annotated[Path, typer.Argument(help="The policy's YAML file.")]) -> None:
    """Check a policy file: the line of everything wrong, or a summary."""
    try:
        policy = Policy.load(file)
    except PolicyError as error:
        typer.echo(error, err=True)  # every line as FILE:LINE, for editors to jump to
        raise typer.Exit(EXIT_CODES[PolicyError]) from None
    typer.echo(
        f"{file}: policy '{policy.name}' is fine: {len(policy.rules)} of {len(policy.labels)} labels have rules,"
        f" {len(policy.context)} context rules, {policy.conflict}, fallback {policy.fallback}"
    )
