"""A prediction under other rules: the emotions and reactions anew, the probabilities as they are."""

from collections.abc import Callable
from dataclasses import replace

from emolens.policy import Policy
from emolens.results import Prediction


def redecide(prediction: Prediction, policy: Policy, threshold_of: Callable[[str], float]) -> Prediction:
    """What `Predictor` would have made of the same photograph with this policy; no model is asked.

    Args:
        prediction: of any policy and threshold.
        policy: the one to follow.
        threshold_of: the model card's threshold of a label, which counts where the policy has none of its own.
    """
    faces = tuple(replace(face, emotions=policy.present(face.probabilities, threshold_of)) for face in prediction.faces)
    if prediction.dominant is None:
        return replace(prediction, faces=faces, emotions=(), reactions=policy.decide_no_face())
    emotions = policy.present(prediction.probabilities, threshold_of)
    reactions = policy.decide(emotions, prediction.probabilities)
    return replace(prediction, faces=faces, emotions=emotions, reactions=reactions)


def with_threshold(policy: Policy, threshold: float | None) -> Policy:
    """The policy with one threshold, 0 to 1, for all emotions; None leaves it as it is."""
    return policy if threshold is None else replace(policy, threshold=threshold, thresholds={})
