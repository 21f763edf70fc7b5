"""Asks a server for the reactions to photographs: python examples/ask_server.py http://127.0.0.1:8000 photo.jpg ..."""

import os
import sys

from emolens import Failure
from emolens.client import Client


def main(url: str, *photos: str) -> None:
    with Client(url, key=os.environ.get("EMOLENS_KEY")) as client:
        for result in client.predict_many(photos):
            if isinstance(result, Failure):
                print(result.message, file=sys.stderr)
            else:
                print(result.input, result.dominant, *result.reactions.suggested)


if __name__ == "__main__":
    main(*sys.argv[1:])
