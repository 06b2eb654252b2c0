"""What the reader finds on galleries of real faces, and what a frame costs by stage.

    python -m benchmarks.frame_stages --data ../shared/data

Times are medians over repeated frames, wall clock and processor, models loaded and labels known; `first` is the
processor time of a frame whose labels are all new and read at once. `none` counts faces where no face is.
"""

import argparse
import json
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray

from capture.gallery import find_tiles
from engagement.records import Box, State, Tile
from inference.reader import Reader, load_reader
from tests.capture.synthetic_gallery import compose_gallery, portraits_of


@dataclass(frozen=True, slots=True)
class Picture:
    """A gallery and its truth: per participant the tile, the name, and whether a face shows."""

    name: str
    image: NDArray[np.uint8]
    truth: tuple[tuple[Box, str, bool], ...]


def composed(data: Path, count: int, seed: int) -> Picture:
    people = portraits_of(data, count, seed, "test", distance=(1.1, 2.5))
    pictures = [None if index % 9 == 8 else person.picture for index, person in enumerate(people)]
    gallery = compose_gallery(pictures, [person.name for person in people])
    truth = zip(gallery.boxes, gallery.names, gallery.camera_on, strict=True)
    return Picture(f"composed {count}", gallery.image, tuple(truth))


def screenshots(data: Path) -> list[Picture]:
    folder = data / "galleries"
    pictures = []
    for entry in json.loads((folder / "annotations.json").read_text(encoding="utf-8")):
        image = np.asarray(cv2.imread(str(folder / entry["file"]), cv2.IMREAD_COLOR_RGB), np.uint8)
        truth = tuple((Box(*tile["box"]), tile["name"], tile["face"]) for tile in entry["tiles"])
        pictures.append(Picture(entry["file"], image, truth))
    return pictures


def measure(picture: Picture, reader: Reader, repeats: int) -> str:
    """One line of the table."""
    started = time.process_time()
    reader.read(picture.image, find_tiles(picture.image))
    first = (time.process_time() - started) * 1000
    stages: dict[str, list[float]] = {"tiles": [], "faces": [], "expression": [], "names": []}
    processor = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        tiles: list[Tile] = find_tiles(picture.image)
        stages["tiles"].append((time.perf_counter() - wall) * 1000)
        result = reader.read(picture.image, tiles)
        for stage, milliseconds in result.timings_ms.items():
            stages[stage].append(milliseconds)
        processor.append((time.process_time() - cpu) * 1000)
    tiles_right = faces_right = names_right = 0
    for box, name, shown in picture.truth:
        reading = max(result.readings, key=lambda one: one.tile.box.iou(box), default=None)
        if reading is None or reading.tile.box.iou(box) < 0.5:
            continue
        tiles_right += 1
        faces_right += shown and reading.face is not None
        names_right += plain(reading.label.name or "") == plain(name)
    shown_in_all = sum(shown for _, _, shown in picture.truth)
    invented = sum(reading.face is not None for reading in result.readings) - faces_right
    read = sum(reading.state is State.SEEN for reading in result.readings)
    medians = {stage: statistics.median(values) for stage, values in stages.items()}
    return (
        f"{picture.name:12} {tiles_right:3}/{len(picture.truth):<3} {faces_right:3}/{shown_in_all:<3} {invented:4}"
        f" {read:5} {names_right:3}/{len(picture.truth):<3}"
        f" {medians['tiles']:7.0f} {medians['faces']:7.0f} {medians['expression']:7.0f} {medians['names']:7.0f}"
        f" {sum(medians.values()):7.0f} {statistics.median(processor):7.0f} {first:7.0f}"
    )


def plain(name: str) -> str:
    """A name without case, blanks and the dots of an ellipsis, which recognition often drops."""
    return "".join(name.casefold().split()).rstrip(".")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, default=Path("../shared/data"))
    arguments.add_argument("--detector", default="tileface")
    arguments.add_argument("--detector-model", type=Path)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--galleries", type=int, default=3, help="composed galleries of each size")
    chosen = arguments.parse_args()

    process = psutil.Process()
    bare = process.memory_info().rss
    started = time.perf_counter()
    reader = load_reader(detector=chosen.detector, detector_model=chosen.detector_model, label_budget=None)
    loading = time.perf_counter() - started
    print(f"{platform.machine()}, {psutil.cpu_count()} processors, load {psutil.getloadavg()[0]:.1f}")
    print(f"models loaded in {loading:.1f} s; {(process.memory_info().rss - bare) / 2**20:.0f} MiB more")
    print(f"{'':46}{' ms, wall ':-^39} {' processor ':-^15}")
    print(
        "picture        tiles    faces  none  read   names   tiles   faces express   names   total   frame   first"
    )
    pictures = [
        composed(chosen.data, count, seed) for count in (9, 25, 49) for seed in range(chosen.galleries)
    ]
    for picture in [*pictures, *screenshots(chosen.data)]:
        print(measure(picture, reader, chosen.repeats), flush=True)
    print(f"memory after all: {process.memory_info().rss / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
