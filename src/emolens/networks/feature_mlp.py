"""Dense layers over feature vectors, with the standardisation and the projection that were fitted for them inside."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn


class Projection(nn.Module):
    """Standardises features and projects them onto their principal components, half-whitened.

    Expressions move a few points a little; what varies most is how the head is turned. So each component is divided by
    the root of its deviation: small ones then count, and not as much as large ones, since they hold most of the noise.

    Args:
        size: F, of the features.
        components: K, of what is left of them.
    """

    mean: Tensor
    scale: Tensor
    centre: Tensor
    components: Tensor

    def __init__(self, size: int, components: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))
        self.register_buffer("centre", torch.zeros(size))
        self.register_buffer("components", torch.zeros(size, components))

    def fit(self, features: NDArray[np.float32]) -> "Projection":
        """Learns from `(N, F)` features, N over K, with scikit-learn."""
        scaler = StandardScaler().fit(features)
        projection = PCA(self.components.shape[1], svd_solver="covariance_eigh").fit(scaler.transform(features))
        components = projection.components_.T / projection.explained_variance_**0.25
        learnt = (scaler.mean_, scaler.scale_, projection.mean_, components)
        for buffer, values in zip(self.buffers(), learnt, strict=True):
            buffer.copy_(torch.from_numpy(values))
        return self

    def forward(self, features: Tensor) -> Tensor:
        """`(N, F)` to `(N, K)`."""
        return ((features - self.mean) / self.scale - self.centre) @ self.components


class FeatureMlp(nn.Module):
    """The projection, then Linear, BatchNorm, ReLU and Dropout for every width, then Linear.

    Takes `(N, size)` float32 features, gives `(N, classes)` logits.
    """

    def __init__(self, size: int, components: int, widths: Sequence[int], classes: int, dropout: float) -> None:
        super().__init__()
        self.projection = Projection(size, components)
        layers = [
            nn.Sequential(nn.Linear(before, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout))
            for before, width in pairwise((components, *widths))
        ]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], classes))

    def forward(self, features: Tensor) -> Tensor:
        """`(N, size)` to `(N, classes)`."""
        logits: Tensor = self.layers(self.projection(features))
        return logits
