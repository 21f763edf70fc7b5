"""Other rules for a prediction that is there already."""

from emolens.policy import Policy
from emolens.predictor import Predictor
from emolens.ui.pictures import sample
from emolens.ui.redecide import redecide, with_threshold


def test_it_gives_what_the_predictor_would_have_given(face: Predictor) -> None:
    prediction = face.predict(sample("An astronaut").data)
    for threshold in (None, 0.0, 0.001, 0.995):
        policy = with_threshold(face.policy, threshold)
        asked = Predictor(face.model, face.detector, policy).predict(sample("An astronaut").data)
        again = redecide(prediction, policy, face.model.card.threshold_of)
        assert again.emotions == asked.emotions
        assert [one.emotions for one in again.faces] == [one.emotions for one in asked.faces]
        assert again.reactions == asked.reactions


def test_a_photo_without_a_face_keeps_the_reactions_for_that(face: Predictor) -> None:
    prediction = face.predict(sample("A cat").data)
    assert prediction.dominant is None
    assert redecide(prediction, Policy.load("social"), lambda _: 0.0).reactions == prediction.reactions


def test_a_threshold_stands_above_those_of_single_emotions() -> None:
    policy = Policy("mine", ("happy",), {}, threshold=0.3, thresholds={"happy": 0.9})
    assert with_threshold(policy, 0.5).present({"happy": 0.6}, lambda _: 1.0) == ("happy",)
    assert with_threshold(policy, None) is policy
