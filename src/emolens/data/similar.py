"""Pictures that are alike: copies to the pixel, and near copies by a perceptual hash."""

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NEAR = 4
"""In how many of their 63 bits the hashes of near copies differ at most.

Set on FER2013's faces, which resemble each other more than most pictures do: of 1,092 pairs at this distance, 99 in 100
are one photograph (scaled, sharpened, with another watermark); at twice the distance most are two people.
"""

_SIDE, _FREQUENCIES = 32, 8
_COSINES = np.cos(np.pi * np.outer(np.arange(_FREQUENCIES), 2 * np.arange(_SIDE) + 1) / (2 * _SIDE))

# So that the noise of rounding decides no bit of a picture that is flat or symmetric.
_DECIMALS = 1

# Rows of a product of hashes, to bound its memory where many pictures fall into one bucket.
_ROWS = 1024


def pixel_hash(pixels: NDArray[np.uint8]) -> bytes:
    """16 bytes that only pictures of the same size and pixels share."""
    digest = hashlib.blake2b(str(pixels.shape).encode(), digest_size=16)
    digest.update(pixels.tobytes())
    return digest.digest()


def perceptual_hash(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """`(63,)`: which of the lowest frequencies of a picture's grey, but for its mean, are over their median.

    It changes little with scale, compression, brightness and contrast (Zauner, "Implementation and Benchmarking of
    Perceptual Image Hash Functions", 2010).

    Args:
        pixels: `(h, w, 3)` uint8 RGB.
    """
    grey = Image.fromarray(pixels).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    spectrum = _COSINES @ np.asarray(grey, dtype=np.float64) @ _COSINES.T
    frequencies = spectrum.round(_DECIMALS).ravel()[1:]
    hashed: NDArray[np.bool_] = frequencies > np.median(frequencies)
    return hashed


def group_alike(hashes: NDArray[np.bool_]) -> NDArray[np.intp]:
    """`(N,)`: the group of each picture; what is within `NEAR` bits of a picture is in its group.

    Args:
        hashes: `(N, 63)`.
    """
    distinct, member = np.unique(hashes, axis=0, return_inverse=True)
    group = np.arange(len(distinct))
    for one, other in _near_pairs(distinct):
        first, second = sorted((_root(group, one), _root(group, other)))
        group[second] = first
    roots: NDArray[np.intp] = np.array([_root(group, one) for one in range(len(group))], dtype=np.intp)
    return roots[member.reshape(-1)]


def _root(group: NDArray[np.intp], one: int) -> int:
    while group[one] != one:
        group[one] = group[group[one]]
        one = int(group[one])
    return one


def _near_pairs(hashes: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Pairs of hashes within `NEAR` bits, some of them more than once.

    Such hashes are the same in at least one of `NEAR + 1` bands, so that only those that share a band are compared.
    """
    signs = np.where(hashes, 1, -1).astype(np.float32)  # a product is the number of bits that agree, less the others
    least = hashes.shape[1] - 2 * NEAR
    for band in np.array_split(np.arange(hashes.shape[1]), NEAR + 1):
        _, bucket = np.unique(hashes[:, band] @ (1 << np.arange(len(band))), return_inverse=True)
        order = np.argsort(bucket, kind="stable")
        for shared in np.split(order, np.flatnonzero(np.diff(bucket[order])) + 1):
            for start in range(0, len(shared), _ROWS):
                rows = shared[start : start + _ROWS]
                ones, others = np.nonzero(signs[rows] @ signs[shared].T >= least)
                later = ones + start < others
                yield from zip(rows[ones[later]].tolist(), shared[others[later]].tolist(), strict=True)
