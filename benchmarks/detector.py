"""Compares the embedded detector with YuNet: time at the same input, faces found and false boxes on photographs.

    python benchmarks/detector.py --yunet YUNET.onnx [--own FILE] [--photos FOLDER] [--faces TABLE] [--misses PNG]

FOLDER holds photographs and `boxes.json`: per file name `faces`, `ignore` (lists of x, y, w, h) and `truth`. TABLE is
what the detector is trained on; its validation photographs are searched.
"""

import argparse
import io
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from emolens.data.readers.faces import read_face_photos
from emolens.detect.base import Detections, Detector
from emolens.detect.own import OUTPUTS, STRIDES, OwnDetector
from emolens.detect.yunet import YunetDetector
from emolens.training.detection.measure import Matches, match
from emolens.zoo import find

SIDES = (320, 640, 1024)
ROUNDS = 50
WHATS = ("found", "false")
SCALES = (0.5, 0.75, 1, 1.5, 2)
SIZES = (8, 16, 32, 96, np.inf)
LOWEST_SCORE, FALSE_BOXES = 0.05, 0.05
COLLECTIONS = {
    "marellanoc": "face-mask set", "liyunfan1223": "public tweets", "quantumnaan": "Flickr8k", "umass-vis-lfw": "LFW",
    "muxspace": "tight portraits", "bkurdi": "OASIS",
}  # fmt: skip


@dataclass(frozen=True)
class Photograph:
    """An `(H, W, 3)` uint8 image with its faces and regions to ignore, `(N, 4)` each."""

    group: str
    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    ignore: NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--yunet", type=Path, required=True)
    parser.add_argument("--own", default="detector", help="a name or a model file")
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--faces", type=Path)
    parser.add_argument("--misses", type=Path, help="a PNG to write: found and missed faces by size")
    parser.add_argument("--size", type=int, default=0, help="longest side at which photographs are searched; 0: native")
    arguments = parser.parse_args()
    size = arguments.size or None
    own = OwnDetector(find(arguments.own), size=size, device="cpu", threads=1)
    yunet = YunetDetector(arguments.yunet, size=size, device="cpu", threads=1)
    console = Console(width=120)
    console.print(times(own, yunet))
    if arguments.photos:
        console.print(finds({"own": own, "yunet": yunet}, from_folder(arguments.photos)))
    if arguments.faces:
        console.print(finds({"own": own, "yunet": yunet}, from_table(arguments.faces)))
        if arguments.misses:
            plot_misses(own, list(from_table(arguments.faces)), arguments.misses)
        console.print(by_scale(find(arguments.own), list(from_table(arguments.faces))))


def times(own: OwnDetector, yunet: YunetDetector) -> Table:
    """Medians on one thread: of the network alone, and of `detect` with all around it."""
    table = Table("side", "network own ms", "yunet ms", "ratio", "detect own ms", "yunet ms", "ratio")
    for side in SIDES:
        network_own, network_yunet, all_own, all_yunet = medians(own, yunet, side)
        table.add_row(
            str(side),
            f"{network_own:.1f}",
            f"{network_yunet:.1f}",
            f"{network_own / network_yunet:.2f}",
            f"{all_own:.1f}",
            f"{all_yunet:.1f}",
            f"{all_own / all_yunet:.2f}",
        )
    return table


def medians(own: OwnDetector, yunet: YunetDetector, side: int) -> list[float]:
    """Milliseconds at one input, the four steps taken in turn so that what else the machine does hits all alike."""
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    bgr = np.ascontiguousarray(image[None, ..., ::-1].transpose(0, 3, 1, 2), dtype=np.float32)
    steps = (
        lambda: own.session.run(list(OUTPUTS), {"image": image[None]}),
        lambda: yunet.session.run(None, {"input": bgr}),
        lambda: own.detect(image),
        lambda: yunet.detect(image),
    )
    taken: list[list[float]] = [[] for _ in steps]
    for _ in range(ROUNDS):
        for step, durations in zip(steps, taken, strict=True):
            start = time.perf_counter()
            step()
            durations.append(1000 * (time.perf_counter() - start))
    return [median(durations) for durations in taken]


def finds(detectors: dict[str, Detector], photographs: Iterable[Photograph]) -> Table:
    """Faces found and false boxes per group of photographs; faces count from some sizes on."""
    groups: dict[str, dict[str, list[Matches]]] = defaultdict(lambda: {name: [] for name in detectors})
    for photograph in photographs:
        for name, detector in detectors.items():
            found = detector.detect(photograph.image)
            groups[photograph.group][name].append(match(found, photograph.boxes, photograph.ignore))
    table = Table("photographs", "from px", "faces", *(f"{name} {what}" for name in detectors for what in WHATS))
    for group, parts in sorted(groups.items()):
        joined = {name: Matches.joined(matches) for name, matches in parts.items()}
        for smallest in (0, 16, 20):
            faces = int((next(iter(joined.values())).sides >= smallest).sum())
            if not faces:
                continue
            cells = [cell for matches in joined.values() for cell in figures(matches, smallest)]
            table.add_row(group, str(smallest), str(faces), *cells)
    return table


def by_scale(path: Path, photographs: list[Photograph]) -> Table:
    """What the size of the search is worth: at twice the size, a stride of 8 is one of 4.

    Recall at the score that lets 1 false box through in 20 photographs, chosen at each scale for itself.
    """
    own = OwnDetector(path, size=None, score_threshold=LOWEST_SCORE, device="cpu", threads=1)
    table = Table("scale", "finest stride", "average precision", *(f"{a} to {b} px" for a, b in pairwise(SIZES)), "ms")
    for scale in SCALES:
        parts, durations = [], []
        for photograph in photographs:
            sides = [max(1, round(side * scale)) for side in photograph.image.shape[1::-1]]
            image = np.asarray(Image.fromarray(photograph.image).resize(sides, Image.Resampling.BILINEAR))
            start = time.perf_counter()
            found = own.detect(image)
            durations.append(1000 * (time.perf_counter() - start))
            boxes = found.boxes / np.float32(scale)
            parts.append(match(Detections(boxes, found.scores, None), photograph.boxes, photograph.ignore))
        matches = Matches.joined(parts)
        threshold = matches.threshold_for(FALSE_BOXES)
        recalls = [f"{matches.recall(threshold, low, high):.3f}" for low, high in pairwise(SIZES)]
        average = f"{matches.average_precision():.3f}"
        table.add_row(f"{scale:g}", f"{STRIDES[0] / scale:.1f}", average, *recalls, f"{median(durations):.1f}")
    return table


def plot_misses(own: OwnDetector, photographs: list[Photograph], path: Path) -> None:
    """A bar per size and collection: faces found, and faces missed. The photographs themselves may not be shown."""
    groups: dict[str, list[Matches]] = defaultdict(list)
    for photograph in photographs:
        groups[photograph.group].append(match(own.detect(photograph.image), photograph.boxes, photograph.ignore))
    by_group = {group: Matches.joined(parts) for group, parts in groups.items()}
    largest = sorted(by_group, key=lambda group: -len(by_group[group].sides))[:6]
    edges = np.geomspace(8, 256, 11)
    figure, axes = plt.subplots(2, 3, figsize=(12, 6), sharex=True, layout="constrained")
    for axis, group in zip(axes.flat, largest, strict=True):
        matches = by_group[group]
        sides, hit = np.clip(matches.sides, edges[0], edges[-1] - 1), matches.found > 0
        axis.hist(
            [sides[hit], sides[~hit]], edges, stacked=True, color=["#7fb3a6", "#c2453c"], label=["found", "missed"]
        )
        owner = group.partition("/")[0]
        axis.set(xscale="log", title=f"{COLLECTIONS.get(owner, owner)}: {(~hit).sum()} of {len(hit)} missed")
        axis.yaxis.get_major_locator().set_params(integer=True)
        axis.set_xticks([8, 16, 32, 64, 128, 256], ["8", "16", "32", "64", "128", "256+"])
        axis.minorticks_off()
    axes[0, 0].legend(frameon=False)
    figure.supxlabel("side of the face in pixels")
    figure.supylabel("faces")
    figure.savefig(path, dpi=110)


def figures(matches: Matches, smallest: float) -> list[str]:
    found = int((matches.found[matches.sides >= smallest] > 0).sum())
    return [f"{found} ({100 * matches.recall(0, smallest):.1f} %)", str(matches.false_boxes(0))]


def from_folder(folder: Path) -> Iterator[Photograph]:
    """Photographs beside a `boxes.json`, grouped by who made the boxes and the beginning of their names."""
    for file, truth in json.loads((folder / "boxes.json").read_text(encoding="utf-8")).items():
        group = "boxes by people" if truth["truth"] == "human" else file.partition("_")[0]
        image = np.asarray(Image.open(folder / file).convert("RGB"))
        boxes, ignore = (np.array(truth[key], dtype=np.float32).reshape(-1, 4) for key in ("faces", "ignore"))
        yield Photograph(group, image, boxes, ignore)


def from_table(path: Path) -> Iterator[Photograph]:
    """The validation photographs of a table, grouped by collection."""
    for photo in read_face_photos(path, "val"):
        image = np.asarray(Image.open(io.BytesIO(photo.image)).convert("RGB"))
        yield Photograph(photo.collection, image, photo.boxes, photo.ignore)


if __name__ == "__main__":
    main()
