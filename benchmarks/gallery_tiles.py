"""Tile recall and precision of `capture.gallery.find_tiles` per layout family, and its time.

    python -m benchmarks.gallery_tiles [--per-family N] [--seed S] [--worst FOLDER]

Galleries are composed from drawn pictures, and from real faces where the shared data is present; the five real
screenshots are read beside them. A tile counts as found at IoU 0.8 (real screenshots: 0.5 and 0.8).
"""

import argparse
import json
import os
import re
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from capture.gallery import find_tiles
from engagement.records import Box, Tile
from tests.capture.gallery_families import FAMILIES
from tests.capture.screens_without_gallery import SCREENS, not_a_gallery
from tests.capture.synthetic_gallery import Gallery, Picture, drawn_pictures, portraits

SIZES: Final = ((1024, 640), (1280, 720), (1366, 768), (1600, 1000), (1920, 1080), (2560, 1440), (3840, 2160))


@dataclass(slots=True)
class Tally:
    """Counts over the galleries of one family."""

    tiles: int = 0
    found: int = 0
    reported: int = 0
    cameras_right: int = 0
    galleries: int = 0
    perfect: int = 0
    ms: float = 0.0

    def add(self, gallery: Gallery, tiles: Sequence[Tile], least: float, ms: float) -> bool:
        """Count one gallery; True if every tile and no other was found."""
        found, optional = 0, 0
        for box, camera_on in zip(gallery.boxes, gallery.camera_on, strict=True):
            best = max(tiles, key=lambda tile: tile.box.iou(box), default=None)
            if best is not None and best.box.iou(box) >= least:
                found += 1
                self.cameras_right += best.camera_on == camera_on
        for box in gallery.optional:
            optional += any(tile.box.iou(box) >= least for tile in tiles)
        self.tiles += len(gallery.boxes)
        self.found += found
        self.reported += len(tiles) - optional
        self.galleries += 1
        self.ms += ms
        perfect = found == len(gallery.boxes) == len(tiles) - optional
        self.perfect += perfect
        return perfect

    def line(self, name: str) -> str:
        recall = self.found / max(1, self.tiles)
        precision = self.found / self.reported if self.reported else 1.0
        camera = self.cameras_right / max(1, self.found)
        return (
            f"{name:24s} {self.galleries:5d} {self.tiles:6d} {100 * recall:8.2f} {100 * precision:8.2f} "
            f"{self.perfect:8d} {100 * camera:8.2f} {self.ms / max(1, self.galleries):8.1f}"
        )


def timed(image: Picture) -> tuple[list[Tile], float]:
    start = time.thread_time()
    tiles = find_tiles(image)
    return tiles, 1000 * (time.thread_time() - start)


def save(folder: Path | None, name: str, gallery: Gallery, tiles: Sequence[Tile]) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    picture = gallery.image.copy()
    for box, colour, width in [
        *((b, (0, 255, 0), 3) for b in gallery.boxes),
        *((b, (0, 160, 255), 3) for b in gallery.optional),
        *((t.box, (255, 0, 0), 1) for t in tiles),
    ]:
        cv2.rectangle(picture, (box.left, box.top), (box.right - 1, box.bottom - 1), colour, width)
    cv2.imwrite(str(folder / f"{re.sub('[^a-z0-9]+', '-', name)}.png"), picture[..., ::-1])


def measure_families(
    content: dict[str, list[Picture]], names: Sequence[str], count: int, seed: int, worst: Path | None
) -> None:
    """Print recall and precision of each family, over all kinds of content."""
    every = Tally()
    for name in names:
        tally = Tally()
        for kind, pictures in content.items():
            for i in range(count):
                rng = np.random.default_rng([seed, i, zlib.crc32(name.encode())])
                gallery = FAMILIES[name](rng, pictures)
                tiles, ms = timed(gallery.image)
                every.add(gallery, tiles, 0.8, ms)
                if not tally.add(gallery, tiles, 0.8, ms):
                    save(worst, f"{name} {kind} {i}", gallery, tiles)
        print(tally.line(name), flush=True)
    print(every.line("all generated"))


def measure_screens(content: dict[str, list[Picture]], count: int, seed: int, worst: Path | None) -> None:
    """Print on how many screens without a gallery a grid is invented."""
    kinds = list(content.values())
    false = 0
    for name in SCREENS:
        here = []
        for i in range(count):
            image = not_a_gallery(name, SIZES[i % len(SIZES)], kinds[i % len(kinds)], seed * 1000 + i)
            tiles, _ = timed(image)
            if tiles:
                here.append(f"{i} ({len(tiles)} tiles)")
                save(worst, f"screen {name} {i}", Gallery(image, (), (), ()), tiles)
        false += len(here)
        if here:
            print(f"  invented on {name}: {', '.join(here)}")
    print(f"screens without a gallery: {count * len(SCREENS)}, with an invented grid: {false}")


def measure_screenshots(folder: Path, worst: Path | None) -> None:
    """Print the same for the real screenshots of the shared data."""
    for least in (0.5, 0.8):
        tally = Tally()
        for entry in json.loads((folder / "annotations.json").read_text()):
            image = np.ascontiguousarray(
                np.asarray(cv2.imread(str(folder / entry["file"])), np.uint8)[..., ::-1]
            )
            cameras = tuple(tile["camera_on"] for tile in entry["tiles"])
            gallery = Gallery(image, tuple(Box(*tile["box"]) for tile in entry["tiles"]), (), cameras)
            tiles, ms = timed(image)
            if not tally.add(gallery, tiles, least, ms):
                save(worst, f"screenshot {entry['file']} {least}", gallery, tiles)
        print(tally.line(f"screenshots, IoU {least}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--per-family", type=int, default=24, help="galleries of each family and kind of content"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--families", default="", help="only those whose name contains this; no screens")
    parser.add_argument(
        "--worst", type=Path, help="folder for pictures of the galleries that were not read perfectly"
    )
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    data = Path(os.environ.get("CLASSPULSE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    content = {"drawn": drawn_pictures(120, arguments.seed)}
    if (data / "faces").is_dir():
        content["real"] = portraits(data, 120, arguments.seed)
    heads = ("n", 5), ("tiles", 6), ("recall", 8), ("precis.", 8), ("perfect", 8), ("camera", 8), ("ms", 8)
    print(f"{'family':24s} " + " ".join(f"{head:>{width}s}" for head, width in heads))
    names = [name for name in FAMILIES if arguments.families in name]
    measure_families(content, names, arguments.per_family, arguments.seed, arguments.worst)
    if arguments.families:
        return
    measure_screens(content, arguments.per_family, arguments.seed, arguments.worst)
    if (data / "galleries").is_dir():
        measure_screenshots(data / "galleries", arguments.worst)


if __name__ == "__main__":
    main()
