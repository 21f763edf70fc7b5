"""Times training steps with a recipe's loader and with one constant batch, beside a plain loop and timm's loader.

    python benchmarks/training.py --data fer2013plus.parquet --out FOLDER [--each 250] [--rounds 3]

Two networks: ResNet-18 at 224x224 on crops that `emolens data prepare` has cut (recipe `faces-resnet18`, all layers,
from nothing), and the `face` network on crops of 48x48. All loops take the same network, optimiser, precision and
batch, and as many workers, on the processor. The plain loop decodes the same prepared pictures and changes them by the
same torchvision transforms; timm's loader decodes them, too, and changes them by its own (crop, flip, colours).
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch
from few_shot import draw
from lightning.pytorch.loggers.logger import DummyLogger
from PIL import Image
from rich.console import Console
from rich.table import Table
from timm.data import create_loader
from torch.utils.data import DataLoader
from torchvision.transforms import v2
from turns import times_faster

from emolens.data.prepare import Preparation
from emolens.data.readers import read_dataset
from emolens.data.samples import Dataset
from emolens.training.classifier import ClassifierModule
from emolens.training.data import CropDataset, training_loader, training_workers
from emolens.training.module import normalise
from emolens.training.recipe import ClassifierRecipe, load_recipe
from emolens.training.resolve import resolve
from emolens.training.run import Run
from emolens.training.trainer import fit

SYSTEMS = {
    "ResNet-18 at 224x224": ("faces-resnet18", 1.10, ["network={name: resnet18, pretrained: false}"]),
    "face at 48x48": ("face", 1.15, []),
}
OURS, CONSTANT, PLAIN, TIMM = "emolens", "emolens, one constant batch", "plain PyTorch loop", "timm's loader"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a folder for the prepared crops")
    parser.add_argument("--each", type=int, default=250, help="faces per label")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    faces = read_dataset("fer2013", arguments.data, "Training")
    drawn = draw(faces, arguments.each, 0, arguments.out / "faces")
    for title, (name, target, settings) in SYSTEMS.items():
        data = ["data={dataset: prepared, labels: fer7}", "optimisation.epochs=1", "optimisation.ema=0"]
        data.append("optimisation.device=cpu")
        recipe = load_recipe(name, [*settings, *data])
        assert isinstance(recipe, ClassifierRecipe)
        folder = arguments.out / name
        for _ in Preparation.begin("imagefolder", drawn, recipe.input, recipe.crop, folder).write():
            pass
        seconds = measure(recipe, read_dataset("prepared", folder), arguments.rounds)
        Console().print(report(title, seconds, recipe.optimisation.batch_size, target))


def measure(recipe: ClassifierRecipe, prepared: Dataset, rounds: int) -> dict[str, list[float]]:
    """Seconds a step, in each round."""
    recipe = resolve(recipe, prepared)
    crops = CropDataset(prepared, recipe)
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        seconds[OURS].append(train(recipe, crops, training_loader(crops, recipe)))
        seconds[CONSTANT].append(train(recipe, crops, Constant.like(training_loader(crops, recipe))))
        workers = training_workers(recipe.optimisation)["num_workers"]
        others = {PLAIN: plain_loader(recipe, prepared, workers), TIMM: timm_loader(recipe, prepared, workers)}
        for name, loader in others.items():
            seconds[name].append(plain_loop(recipe, loader))
    return seconds


class Timed(ClassifierModule):
    """Notes when each step has ended."""

    def on_train_batch_end(self, *_: Any) -> None:
        self.ends.append(perf_counter())

    def on_train_epoch_start(self) -> None:
        self.ends: list[float] = []


class Constant(DataLoader[Any]):
    """Gives its first batch again and again."""

    @classmethod
    def like(cls, loader: DataLoader[Any]) -> "Constant":
        constant = cls(loader.dataset, batch_sampler=loader.batch_sampler)
        constant.batch = next(iter(loader))
        return constant

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        return iter([self.batch] * len(self))


def train(recipe: ClassifierRecipe, crops: CropDataset, loader: DataLoader[Any]) -> float:
    few = torch.utils.data.Subset(crops, range(2))
    module = Timed(recipe, recipe.network.build(len(recipe.labels), recipe.input.channels, recipe.size))
    with TemporaryDirectory() as folder:
        fit(module, loader, DataLoader(few), Run.start(Path(folder), recipe, resume=False), [DummyLogger()])
    return step_time(module.ends, loader)


def plain_loop(recipe: ClassifierRecipe, loader: DataLoader[Any]) -> float:
    network = recipe.network.build(len(recipe.labels), recipe.input.channels, recipe.size)
    network = network.to(memory_format=torch.channels_last).train()
    plan = recipe.optimisation
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[plan.optimiser]
    optimiser = kind(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (recipe.pixels.mean, recipe.pixels.std))
    ends = []
    for images, labels in loader:
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.precision == "bf16"):
            logits = network(normalise(images, mean, std))
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(logits.float(), labels).backward()
        optimiser.step()
        ends.append(perf_counter())
    return step_time(ends, loader)


def step_time(ends: list[float], loader: DataLoader[Any]) -> float:
    """Seconds a step, on average, without the first ones, whose batches were made before them."""
    first = 1 + loader.num_workers * (loader.prefetch_factor or 0)
    if len(ends) < 3 * first:
        raise SystemExit("too few steps to measure; give more faces with --each")
    return (ends[-1] - ends[first]) / (len(ends) - 1 - first)


class Pictures(torch.utils.data.Dataset[Any]):
    """Pictures as files in memory, with the index of their label; `transform` gets a PIL image."""

    def __init__(self, dataset: Dataset, mode: str, transform: Any = None) -> None:
        self.images, self.mode, self.transform = [sample.image for sample in dataset.samples], mode, transform
        self.labels = dataset.targets.argmax(axis=1).tolist()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Any:
        image = Image.open(BytesIO(self.images[index])).convert(self.mode)
        return self.transform(image), self.labels[index]


def plain_loader(recipe: ClassifierRecipe, prepared: Dataset, workers: int) -> DataLoader[Any]:
    transform = v2.Compose([v2.PILToTensor(), recipe.augmentation.build(*recipe.size)])
    pictures = Pictures(prepared, mode_of(recipe), transform)
    return DataLoader(pictures, recipe.optimisation.batch_size, shuffle=True, num_workers=workers, drop_last=True)


def timm_loader(recipe: ClassifierRecipe, prepared: Dataset, workers: int) -> DataLoader[Any]:
    channels = recipe.input.channels
    loader: DataLoader[Any] = create_loader(
        Pictures(prepared, mode_of(recipe)),
        input_size=(channels, *recipe.size),
        batch_size=recipe.optimisation.batch_size,
        is_training=True,
        use_prefetcher=False,
        scale=(0.8, 1.0),
        color_jitter=0.2,
        hflip=0.5,
        interpolation="bilinear",
        mean=(0.0,) * channels,
        std=(1 / 255,) * channels,  # the loop normalises
        num_workers=workers,
        persistent_workers=False,
        device=torch.device("cpu"),
    )
    return loader


def mode_of(recipe: ClassifierRecipe) -> str:
    return "L" if recipe.input.channels == 1 else "RGB"


def report(title: str, seconds: dict[str, list[float]], batch_size: int, target: float) -> Table:
    table = Table(title, "ms a step", "images / s", "ratio to the constant batch", "target")
    for name, taken in seconds.items():
        step = median(taken)
        row = [f"{1000 * step:.0f}", f"{batch_size / step:.0f}", f"{times_faster(seconds[CONSTANT], taken):.2f}"]
        table.add_row(name, *row, f"<= {target:.2f}" if name == OURS else "")
    return table


if __name__ == "__main__":
    main()
