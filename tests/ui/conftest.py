"""The embedded models, opened once."""

import pytest

from emolens.predictor import Predictor, load


@pytest.fixture(scope="session")
def face() -> Predictor:
    return load("face", threads=1)
