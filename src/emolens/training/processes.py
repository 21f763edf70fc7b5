"""Which of the processes of a training this is: `torchrun` starts several, on one machine or more."""

import os

from torch.distributed import is_torchelastic_launched


def rank() -> int:
    """0 for the first, which alone writes and tells."""
    return _of_torchrun("RANK", 0)


def count() -> int:
    """Of all machines together."""
    return _of_torchrun("WORLD_SIZE", 1)


def count_here() -> int:
    """Of this machine."""
    return _of_torchrun("LOCAL_WORLD_SIZE", 1)


def _of_torchrun(variable: str, alone: int) -> int:
    return int(os.environ[variable]) if is_torchelastic_launched() else alone
