"""Tile recall and precision of `capture.gallery.find_tiles` per layout family, and its time.

    python -m benchmarks.gallery_tiles [--per-family N] [--seed S] [--worst FOLDER]

Galleries are composed from drawn pictures, and from real faces where the shared data is present; the five real
screenshots are read beside them. A tile counts as found at IoU 0.8 (real screenshots: 0.5 and 0.8).
"""

import argparse
import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from capture.gallery import find_tiles
from engagement.records import Box, Tile
from tests.capture.synthetic_gallery import (
    SCREENS,
    Gallery,
    Look,
    Picture,
    compose_gallery,
    dark_room,
    drawn_pictures,
    fill,
    not_a_gallery,
    on_colour,
    pillarboxed,
    portraits,
)

Random = np.random.Generator
Family = Callable[[Random, Sequence[Picture]], Gallery]
SIZES: Final = (
    (640, 400),
    (1024, 640),
    (1280, 720),
    (1366, 768),
    (1600, 1000),
    (1920, 1080),
    (2560, 1440),
    (3840, 2160),
)
DARK: Final = ((0, 0, 0), (13, 13, 13), (26, 26, 26), (32, 33, 36))
LIGHT: Final = ((255, 255, 255), (245, 245, 245), (237, 237, 240))
BORDERS: Final = ((34, 214, 88), (226, 226, 60), (80, 140, 255))


def _pick(rng: Random, pictures: Sequence[Picture], count: int) -> list[Picture | None]:
    return [pictures[int(i)] for i in rng.integers(len(pictures), size=count)]


def _look(rng: Random, count: int) -> Look:
    """A dark Zoom window in which the tiles are at least 72 pixels wide."""
    sizes = [size for size in SIZES if (size[0] * size[1] * 0.6 / count) ** 0.5 > 72]
    size = sizes[int(rng.integers(len(sizes)))]
    scale = max(1.0, size[0] / 1920)
    bars = rng.random() < 0.7
    return Look(
        size=size,
        gap=int(rng.integers(2, 11)),
        margin=int(rng.integers(0, 24)),
        background=DARK[int(rng.integers(len(DARK)))],
        card=tuple(int(c) + int(rng.integers(10, 24)) for c in DARK[int(rng.integers(2, len(DARK)))]),
        radius=int(rng.choice([0, 0, 6, 10]) * scale),
        title_bar=int(28 * scale) if bars else 0,
        toolbar=int(rng.integers(40, 64) * scale) if bars else 0,
        speaker=int(rng.integers(count)) if rng.random() < 0.7 else None,
        border=BORDERS[int(rng.integers(3))],
        border_width=int(rng.integers(2, 5)),
        border_outside=bool(rng.random() < 0.6),
    )


def _count(rng: Random) -> int:
    return int(rng.choice([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 17, 20, 23, 25, 27, 30, 36, 41, 49]))


def plain(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    n = _count(rng)
    return compose_gallery(_pick(rng, pictures, n), look=_look(rng, n))


def light(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    n = _count(rng)
    ground = LIGHT[int(rng.integers(len(LIGHT)))]
    card = tuple(max(0, c - int(rng.integers(10, 40))) for c in ground)
    return compose_gallery(
        _with_cards(rng, _pick(rng, pictures, n), 0.2),
        look=replace(_look(rng, n), background=ground, card=card, bar=(250, 250, 250)),
    )


def no_gap(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    n = _count(rng)
    return compose_gallery(
        _pick(rng, pictures, n), look=replace(_look(rng, n), gap=int(rng.integers(0, 2)), radius=0)
    )


def four_to_three(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    n = _count(rng)
    return compose_gallery(_pick(rng, pictures, n), look=replace(_look(rng, n), aspect=4 / 3))


def _with_cards(rng: Random, pictures: list[Picture | None], share: float) -> list[Picture | None]:
    return [None if rng.random() < share else picture for picture in pictures]


def cameras_off(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    n = _count(rng)
    return compose_gallery(
        _with_cards(rng, _pick(rng, pictures, n), rng.uniform(0.2, 0.8)), look=_look(rng, n)
    )


def dark_rooms(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    n = _count(rng)
    some = [
        dark_room(p, rng.uniform(0.03, 0.2)) if rng.random() < 0.35 else p
        for p in _pick(rng, pictures, n)
        if p is not None
    ]
    return compose_gallery(some, look=_look(rng, n))


def gap_coloured(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """Up to a third of the tiles have the colour of the gap behind the person."""
    n = _count(rng)
    look = _look(rng, n)
    ground = LIGHT[0] if rng.random() < 0.5 else look.background
    some = [
        on_colour(p, ground) if rng.random() < 0.33 else p for p in _pick(rng, pictures, n) if p is not None
    ]
    return compose_gallery(some, look=replace(look, background=ground))


def pillars(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """Some videos are 4:3 or portrait between bars."""
    n = _count(rng)
    look = _look(rng, n)
    bars = look.background if rng.random() < 0.3 else look.card
    some = [
        pillarboxed(p, float(rng.choice([4 / 3, 3 / 4, 9 / 16])), bars) if rng.random() < 0.3 else p
        for p in _pick(rng, pictures, n)
        if p is not None
    ]
    return compose_gallery(some, look=look)


def compressed(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    n = _count(rng)
    look = replace(_look(rng, n), jpeg=int(rng.integers(40, 90)), rescale=float(rng.uniform(1.0, 1.6)))
    return compose_gallery(_with_cards(rng, _pick(rng, pictures, n), 0.15), look=look)


def panel(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """A chat panel takes a part of the window."""
    n = int(rng.choice([2, 4, 6, 9, 12, 16, 25]))
    look = replace(_look(rng, n), size=(1920, 1080))
    return compose_gallery(_pick(rng, pictures, n), look=replace(look, panel=int(rng.integers(240, 480))))


def overlay(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """The toolbar lies over the last row."""
    n = _count(rng)
    look = _look(rng, n)
    return compose_gallery(
        _pick(rng, pictures, n), look=replace(look, overlay=True, toolbar=max(24, look.size[1] // 20))
    )


def no_labels(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    n = _count(rng)
    return compose_gallery(_pick(rng, pictures, n), look=replace(_look(rng, n), labels=False))


def strip(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """A row or column of thumbnails beside a shared page or a large speaker."""
    n = int(rng.integers(3, 7))
    width, height = SIZES[int(rng.integers(2, len(SIZES)))]
    upright = bool(rng.random() < 0.5)
    tile = height // 8
    side = tile * 16 // 9 + 24 if upright else tile + 24
    look = Look(
        size=(side, height) if upright else (width, side), columns=1 if upright else n, gap=4, margin=8
    )
    thumbnails = compose_gallery(_pick(rng, pictures, n), look=look)
    image = np.zeros((height, width, 3), np.uint8)
    rest = image[:, : width - side] if upright else image[side:]
    if rng.random() < 0.5:
        rest[:] = not_a_gallery("document", (rest.shape[1], rest.shape[0]), pictures, int(rng.integers(1000)))
    else:
        rest[:] = fill(pictures[int(rng.integers(len(pictures)))], rest.shape[1], rest.shape[0])
    left = width - side if upright else 0
    image[: thumbnails.image.shape[0], left:] = thumbnails.image
    boxes = tuple(Box(box.left + left, box.top, box.width, box.height) for box in thumbnails.boxes)
    return Gallery(image, boxes, thumbnails.names, thumbnails.camera_on)


FAMILIES: Final[dict[str, Family]] = {
    "plain dark": plain,
    "light": light,
    "gap 0-1": no_gap,
    "4:3": four_to_three,
    "cameras off": cameras_off,
    "dark rooms": dark_rooms,
    "gap colour behind": gap_coloured,
    "pillarboxed": pillars,
    "compressed, scaled": compressed,
    "chat panel": panel,
    "toolbar over tiles": overlay,
    "no labels": no_labels,
    "thumbnail strip": strip,
}


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

    def add(
        self, truth: Sequence[Box], cameras: Sequence[bool], tiles: Sequence[Tile], least: float, ms: float
    ) -> bool:
        """Count one gallery; True if every tile and no other was found."""
        found = 0
        for box, camera_on in zip(truth, cameras, strict=True):
            best = max(tiles, key=lambda tile: tile.box.iou(box), default=None)
            if best is not None and best.box.iou(box) >= least:
                found += 1
                self.cameras_right += best.camera_on == camera_on
        self.tiles += len(truth)
        self.found += found
        self.reported += len(tiles)
        self.galleries += 1
        self.ms += ms
        perfect = found == len(truth) == len(tiles)
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


def save(folder: Path | None, name: str, image: Picture, tiles: Sequence[Tile], truth: Sequence[Box]) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    picture = image.copy()
    for box, colour, width in [
        *((b, (0, 255, 0), 3) for b in truth),
        *((t.box, (255, 0, 0), 1) for t in tiles),
    ]:
        cv2.rectangle(picture, (box.left, box.top), (box.right - 1, box.bottom - 1), colour, width)
    cv2.imwrite(str(folder / f"{name}.png"), picture[..., ::-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--per-family", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--families", default="")
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
    every = Tally()
    for kind, pictures in content.items():
        for name, family in FAMILIES.items():
            if arguments.families and arguments.families not in name:
                continue
            tally = Tally()
            for i in range(arguments.per_family):
                rng = np.random.default_rng([arguments.seed, i, zlib.crc32(name.encode())])
                gallery = family(rng, pictures)
                tiles, ms = timed(gallery.image)
                every.add(gallery.boxes, gallery.camera_on, tiles, 0.8, ms)
                if not tally.add(gallery.boxes, gallery.camera_on, tiles, 0.8, ms):
                    save(
                        arguments.worst,
                        f"{kind}-{name.replace(' ', '_').replace(':', '-')}-{i}",
                        gallery.image,
                        tiles,
                        gallery.boxes,
                    )
            print(tally.line(f"{kind}: {name}"), flush=True)
    print(every.line("all generated"))
    false = screens = 0
    for name in SCREENS:
        for i in range(arguments.per_family):
            if arguments.families:
                continue
            pictures = content["real" if "real" in content and i % 2 else "drawn"]
            size = SIZES[1 + i % (len(SIZES) - 1)]
            image = not_a_gallery(name, size, pictures, arguments.seed * 1000 + i)
            tiles, _ = timed(image)
            screens += 1
            false += bool(tiles)
            if tiles:
                print(f"  invented {len(tiles)} tiles on {name} {i}")
                save(arguments.worst, f"screen-{name.replace(' ', '_')}-{i}", image, tiles, [])
    print(f"screens without a gallery: {screens}, with an invented grid: {false}")
    if (data / "galleries").is_dir():
        for least in (0.5, 0.8):
            tally = Tally()
            for entry in json.loads((data / "galleries" / "annotations.json").read_text()):
                image = np.ascontiguousarray(cv2.imread(str(data / "galleries" / entry["file"]))[..., ::-1])
                truth = [Box(*tile["box"]) for tile in entry["tiles"]]
                tiles, ms = timed(image)
                tally.add(truth, [tile["camera_on"] for tile in entry["tiles"]], tiles, least, ms)
            print(tally.line(f"screenshots, IoU {least}"))


if __name__ == "__main__":
    sys.exit(main())
