"""What classifies features: classifiers of scikit-learn that give probabilities, as a recipe names them."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from emolens.training.plan import Part

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

FOLDS = 5
"""Probabilities of an SVM are fitted to what it says of samples that it has not seen, in so many parts."""

_MOST_STEPS = 5000


class SvmHead(Part):
    """A linear support vector machine, one against the rest, with Platt's sigmoids (1999) for probabilities.

    Attributes:
        c: how much an error counts against the margin.
    """

    name: Literal["svm"]
    c: Annotated[float, Field(gt=0)] = 1.0

    def build(self, weighted: bool, seed: int) -> "ClassifierMixin":
        """The classifier, not fitted yet.

        Args:
            weighted: whether errors on rare labels count more.
            seed: of its optimiser.
        """
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import LinearSVC

        # Of tens of thousands of faces, the dual problem is solved several times as fast as the primal one.
        machine = LinearSVC(
            C=self.c, dual=True, class_weight=_class_weight(weighted), random_state=seed, max_iter=_MOST_STEPS
        )
        # One machine, fitted to all samples, instead of an ensemble of one for each part.
        return CalibratedClassifierCV(machine, method="sigmoid", cv=FOLDS, ensemble=False)


class LogisticHead(Part):
    """Logistic regression over all labels at once.

    Attributes:
        c: how much an error counts against the size of the weights.
    """

    name: Literal["logistic"]
    c: Annotated[float, Field(gt=0)] = 1.0

    def build(self, weighted: bool, seed: int) -> "ClassifierMixin":
        """As of `SvmHead`."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(
            C=self.c, class_weight=_class_weight(weighted), random_state=seed, max_iter=_MOST_STEPS
        )


def _class_weight(weighted: bool) -> Any:
    return "balanced" if weighted else None
