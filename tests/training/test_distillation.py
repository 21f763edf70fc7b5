"""A teacher's answers become part of what a network learns."""

from pathlib import Path

import pytest
import torch

from emolens.errors import ConfigError
from emolens.training.distillation import Teacher, Teachers, load_teachers
from emolens.training.recipe import ClassifierRecipe, Distillation, load_recipe
from emolens.training.run import Run
from emolens.training.train import train
from fer_tables import fer_row, write_fer_table

TINY = [
    "network={name: face_resnet, widths: [4, 8], blocks: [1, 1]}", "optimisation.batch_size=16", "data.validation=0.3",
    "optimisation.epochs=1",
]  # fmt: skip


def tiny_recipe(*settings: str) -> ClassifierRecipe:
    recipe = load_recipe("face", [*TINY, *settings])
    assert isinstance(recipe, ClassifierRecipe)
    return recipe


class Constant(torch.nn.Module):
    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(images), -1)


def teacher(*logits: float, temperature: float = 1.0) -> Teacher:
    return Teacher(Constant(*logits), [0.5], [1.0], temperature)


def test_a_target_moves_towards_the_mean_of_the_teachers_by_their_share() -> None:
    images, targets = torch.zeros(1, 1, 4, 4), torch.tensor([[1.0, 0.0]])
    sure, unsure = teacher(-50.0, 50.0), teacher(0.0, 0.0)
    torch.testing.assert_close(Teachers((sure, unsure), 0.5).blend(images, targets), torch.tensor([[0.625, 0.375]]))


def test_a_teacher_answers_at_its_own_temperature() -> None:
    plain, cooled = teacher(0.0, 2.0), teacher(0.0, 2.0, temperature=2.0)
    images = torch.zeros(1, 1, 4, 4)
    torch.testing.assert_close(plain(images)[0], torch.tensor([0.0, 2.0]).softmax(0))
    torch.testing.assert_close(cooled(images)[0], torch.tensor([0.0, 1.0]).softmax(0))


def test_a_teacher_says_the_same_of_an_image_and_its_mirror() -> None:
    class LooksLeft(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images[:, 0, 0, :2]

    one_eyed = Teacher(LooksLeft(), [0.0], [1.0], 1.0)
    images = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 1000
    torch.testing.assert_close(one_eyed(images), one_eyed(images.flip(-1)))


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("distillation")
    rows = [fer_row(row, usage="Training", sadness=row % 4, happiness=6) for row in range(40)]
    table = write_fer_table(folder / "fer.parquet", rows)
    train(tiny_recipe(), table, folder / "teacher")
    return table, folder / "teacher"


@pytest.mark.slow
def test_a_finished_run_teaches_and_its_answers_change_what_is_learnt(
    taught: tuple[Path, Path], tmp_path: Path
) -> None:
    table, folder = taught
    alone = Run(folder)
    together = train(tiny_recipe(f"distillation={{teachers: [{folder}], share: 1.0}}"), table, tmp_path / "student")
    assert (together.folder / "weights.safetensors").read_bytes() != (alone.folder / "weights.safetensors").read_bytes()
    saved = torch.load(together.checkpoint, weights_only=True)["state_dict"]
    assert len(saved) == len(torch.load(alone.checkpoint, weights_only=True)["state_dict"])


@pytest.mark.slow
def test_a_teacher_of_other_labels_or_another_input_is_refused(taught: tuple[Path, Path]) -> None:
    _, folder = taught
    for setting, ours in (("data.labels=fer7", "surprise, neutral at 48x48x1"), ("input.width=44", "at 48x44x1")):
        with pytest.raises(ConfigError, match=f"answers for happy, .* at 48x48x1; this recipe asks for .*{ours}"):
            load_teachers(Distillation(teachers=(folder,)), tiny_recipe(setting))


def test_a_folder_that_is_no_run_cannot_teach(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no run"):
        load_teachers(Distillation(teachers=(tmp_path,)), tiny_recipe())


def test_a_detector_cannot_teach_a_classifier(tmp_path: Path) -> None:
    run = Run.start(tmp_path / "detector", load_recipe("detector"), resume=False)
    with pytest.raises(ConfigError, match="a detector's run"):
        load_teachers(Distillation(teachers=(run.folder,)), tiny_recipe())
