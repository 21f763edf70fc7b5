"""However few steps a training has, its learning rate follows the schedule to the end."""

import pytest

torch = pytest.importorskip("torch")

from emolens.training.optimisation import Optimisation, configure  # noqa: E402


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler")  # nothing is learnt here
@pytest.mark.parametrize("steps", [1, 2, 5, 10, 100])
@pytest.mark.parametrize("warmup", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("schedule", ["one_cycle", "cosine"])
def test_the_rate_ends_near_nothing_and_is_never_over_the_highest(schedule: str, warmup: float, steps: int) -> None:
    plan = Optimisation.model_validate({"epochs": 1, "schedule": schedule, "warmup": warmup, "learning_rate": 0.1})
    scheduler = configure(torch.nn.Linear(2, 2), plan, steps, "val_loss", "min")["lr_scheduler"]["scheduler"]
    rates = [*scheduler.get_last_lr()]
    for _ in range(steps - 1):
        scheduler.step()
        rates += scheduler.get_last_lr()
    assert max(rates) <= 0.1 + 1e-9
    if steps >= 5:
        assert max(rates) > 0.05
        assert rates[-1] < 0.05
