"""Which cells answer for which face, and the loss."""

import pytest

torch = pytest.importorskip("torch")

from emolens.training.detection.loss import Answers, Cells, Targets, assign, detection_loss  # noqa: E402
from emolens.training.detection.recipe import DetectionLoss  # noqa: E402

SIDE = 64
LOSS = DetectionLoss()


def empty_maps(logit: float = -6.0) -> tuple[torch.Tensor, ...]:
    maps = tuple(torch.zeros(1, 15, SIDE // stride, SIDE // stride) for stride in (8, 16, 32))
    for level in maps:
        level[:, 0] = logit
    return maps


def targets(*boxes: tuple[float, float, float, float], ignore: tuple[float, ...] = (0, 0, 0, 0)) -> Targets:
    """With one row of padding, as collating makes it; every landmark at the centre of its face."""
    corners = torch.tensor([[*boxes, (0, 0, 0, 0)]], dtype=torch.float32)
    centres = (corners[..., :2] + corners[..., 2:]) / 2
    return Targets(corners, centres[:, :, None].expand(-1, -1, 5, -1), torch.tensor([[ignore]], dtype=torch.float32))


def set_answer(
    maps: tuple[torch.Tensor, ...], stride: int, x: int, y: int, box: tuple[float, ...], logit: float
) -> None:
    """Makes one cell say this box, with all landmarks at its centre."""
    x0, y0, x1, y1 = box
    across, down = (x0 + x1) / 2 / stride - x - 0.5, (y0 + y1) / 2 / stride - y - 0.5
    sides = torch.tensor([(x1 - x0) / stride, (y1 - y0) / stride]).log().tolist()
    values = torch.tensor([logit, across, down, *sides, *([across, down] * 5)])
    maps[(8, 16, 32).index(stride)][0, :, y, x] = values


def assigned(maps: tuple[torch.Tensor, ...], known: Targets) -> tuple[torch.Tensor, torch.Tensor, Cells]:
    cells = Cells.of(maps)
    quality, face = assign(Answers.of(maps, cells), cells, known.boxes, LOSS.candidates)
    return quality[0], face[0], cells


def test_the_cell_that_says_the_face_answers_for_it() -> None:
    maps, box = empty_maps(), (14.0, 18.0, 30.0, 34.0)
    set_answer(maps, 16, 1, 1, box, logit=3)
    quality, _, cells = assigned(maps, targets(box))
    best = int(quality.argmax())
    assert quality[best] == 1
    assert cells.strides[best] == 16
    assert cells.centres[best].tolist() == [24, 24]


def test_only_cells_near_the_centre_answer_and_no_more_than_asked_for() -> None:
    quality, _, cells = assigned(empty_maps(), targets((0, 0, 64, 64)))
    answering = quality > 0
    assert 1 <= answering.sum() <= LOSS.candidates
    off = (cells.centres - 32).abs().amax(dim=1)
    assert (off[answering] < 2.5 * cells.strides[answering]).all()


def test_a_face_smaller_than_a_cell_is_answered_for() -> None:
    quality, _, _ = assigned(empty_maps(), targets((31, 31, 35, 35)))
    assert quality.max() == 1


def test_each_of_two_neighbours_gets_its_own_cells() -> None:
    quality, face, cells = assigned(empty_maps(), targets((4, 20, 20, 40), (24, 20, 40, 40)))
    for index, centre in enumerate((12.0, 32.0)):
        mine = (quality > 0) & (face == index)
        assert mine.any()
        assert (cells.centres[mine, 0] - centre).abs().min() <= 16


def test_padding_is_no_face() -> None:
    quality, _, _ = assigned(empty_maps(), targets())
    assert quality.sum() == 0


def test_a_right_answer_costs_less_than_a_wrong_one_in_every_part() -> None:
    box = (14.0, 18.0, 30.0, 34.0)
    right, wrong = empty_maps(-12), empty_maps(0)
    set_answer(right, 16, 1, 1, box, logit=12)
    good, bad = (detection_loss(maps, targets(box), LOSS) for maps in (right, wrong))
    assert all(good[part] < bad[part] for part in ("score", "box", "landmarks"))
    assert good["box"] < 0.05
    assert good["landmarks"] < 0.05


def test_an_ignored_region_teaches_nothing_and_background_does() -> None:
    maps = empty_maps()
    set_answer(maps, 16, 1, 1, (14.0, 18.0, 30.0, 34.0), logit=5)
    ignored = detection_loss(maps, targets(ignore=(10, 10, 40, 40)), LOSS)["score"]
    background = detection_loss(maps, targets(), LOSS)["score"]
    assert background - ignored == pytest.approx(5, abs=0.1)


def test_focus_makes_little_of_what_is_nearly_right() -> None:
    nearly, wrong = (detection_loss(empty_maps(logit), targets(), LOSS)["score"] for logit in (-3.0, 3.0))
    focused = LOSS.model_copy(update={"focus": 2.0})
    still_nearly, still_wrong = (
        detection_loss(empty_maps(logit), targets(), focused)["score"] for logit in (-3.0, 3.0)
    )
    assert still_nearly / nearly == pytest.approx(torch.sigmoid(torch.tensor(-3.0)).item() ** 2, rel=1e-4)
    assert still_wrong / wrong > 0.9


def test_a_face_inside_an_ignored_region_still_teaches() -> None:
    box = (14.0, 18.0, 30.0, 34.0)
    with_region = detection_loss(empty_maps(), targets(box, ignore=(0, 0, 64, 64)), LOSS)
    assert with_region["score"] > 1
    assert with_region["box"] > 0


def test_a_batch_without_any_face_has_a_finite_loss() -> None:
    parts = detection_loss(empty_maps(), targets(), LOSS)
    assert all(torch.isfinite(part) for part in parts.values())
    assert parts["box"] == parts["landmarks"] == 0


def test_gradients_reach_every_kind_of_value() -> None:
    maps = tuple(level.requires_grad_() for level in empty_maps())
    torch.stack(list(detection_loss(maps, targets((10, 10, 40, 44)), LOSS).values())).sum().backward()
    touched = torch.cat([level.grad.flatten(2) for level in maps], dim=2).abs().sum(dim=(0, 2))
    assert (touched > 0).all()
