"""An export that answers otherwise than the network is refused, and what it changed is known."""

import numpy as np
import pytest

from emolens.errors import ModelError
from emolens.export.formats import Format
from emolens.export.parity import LIMITS, check_parity

SOURCE = np.tile(np.float32([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]]), (20, 1))


def test_the_figures_say_what_was_changed() -> None:
    found = SOURCE.copy()
    found[0] = [0.4, 0.5, 0.1]
    parity = check_parity(Format.onnx_int8, SOURCE, found)
    assert (parity.form, parity.crops, parity.max_difference, parity.agreement) == ("onnx-int8", 40, 0.2, 39 / 40)
    assert parity.mean_difference == pytest.approx(0.4 / 120, abs=1e-6)


@pytest.mark.parametrize("form", Format)
def test_every_form_has_its_limits(form: Format) -> None:
    limits = LIMITS[form]
    assert check_parity(form, SOURCE, SOURCE + np.float32(0.4 * limits.mean)).agreement == 1
    with pytest.raises(ModelError, match="does not answer as the trained network"):
        check_parity(form, SOURCE, SOURCE + np.float32(1.5 * limits.mean))


def test_one_answer_far_off_is_too_much_for_an_exact_form_and_nan_for_all() -> None:
    far = SOURCE.copy()
    far[0] += np.float32([-0.06, 0.06, 0])
    with pytest.raises(ModelError, match=r"0\.06 at most"):
        check_parity(Format.onnx, SOURCE, far)
    for form in Format:
        with pytest.raises(ModelError, match="values overflow"):
            check_parity(form, SOURCE, np.full_like(SOURCE, np.nan))


def test_other_decisions_are_refused_though_the_probabilities_are_near() -> None:
    undecided = np.full((20, 2), 0.5, np.float32)
    with pytest.raises(ModelError, match="0% of the decisions agree"):
        check_parity(Format.onnx, undecided + np.float32([5e-5, 0]), undecided + np.float32([0, 5e-5]))


def test_of_a_detector_it_counts_where_both_see_a_face() -> None:
    places = np.float32([[0.9, 3.0]] + [[0.1, 0.0]] * 24)
    lower = places - np.float32(1e-5)
    assert check_parity(Format.onnx, places, lower, (0.9, np.inf), crops=5).agreement == 0.96
    assert check_parity(Format.onnx, places, lower, (0.5, np.inf), crops=5).agreement == 1


def test_of_several_labels_it_counts_where_both_find_the_same() -> None:
    several = np.tile(np.float32([0.9, 0.35002, 0.1]), (20, 1))
    with pytest.raises(ModelError, match="0% of the decisions agree"):
        check_parity(Format.onnx, several, several - np.float32(5e-5), (0.35,) * 3)
