"""`python -m emolens`: the command line."""

from emolens.cli import main

main()
