"""How far a share that was counted may be from the true one."""

from scipy.stats import binomtest


def interval_of_share(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of Wilson (1927); for means of what lies between 0 and 1 it is wide enough, too.

    Args:
        share: 0 to 1.
        count: of the samples that it is a share of.
    """
    low, high = binomtest(round(share * count), count).proportion_ci(method="wilson")
    return float(low), float(high)
