"""What classifies features: classifiers of scikit-learn that give probabilities, as a recipe names them."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from emolens.errors import MissingExtraError
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

    soft: ClassVar = False

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

    soft: ClassVar = False

    name: Literal["logistic"]
    c: Annotated[float, Field(gt=0)] = 1.0

    def build(self, weighted: bool, seed: int) -> "ClassifierMixin":
        """As of `SvmHead`."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(
            C=self.c, class_weight=_class_weight(weighted), random_state=seed, max_iter=_MOST_STEPS
        )


class MlpHead(Part):
    """Dense layers over principal components; see `emolens.training.mlp.MlpClassifier`. Needs torch.

    Attributes:
        outliers: over how many deviations a sample is too unlike its label to be learnt from; None learns from all.
    """

    soft: ClassVar = True

    name: Literal["mlp"]
    components: Annotated[int, Field(gt=0)] = 256
    widths: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1)] = (512, 256, 128, 64)
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    outliers: Annotated[float, Field(gt=0)] | None = None
    epochs: Annotated[int, Field(gt=0)] = 12
    batch_size: Annotated[int, Field(gt=1)] = 256
    learning_rate: Annotated[float, Field(gt=0)] = 0.002
    weight_decay: Annotated[float, Field(ge=0)] = 0.0001

    def build(self, weighted: bool, seed: int) -> "ClassifierMixin":
        """As of `SvmHead`.

        Raises:
            MissingExtraError: torch is not installed.
        """
        try:
            from emolens.training.mlp import MlpClassifier
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise MissingExtraError("train", "to train dense layers over features") from None
        return MlpClassifier(**self.model_dump(exclude={"name"}), weighted=weighted, random_state=seed)


def _class_weight(weighted: bool) -> Any:
    return "balanced" if weighted else None
