"""Recall and precision of the tiles per family of meeting windows, on a small fixed sample of each.

`python -m benchmarks.gallery_tiles` measures the same on many more.
"""

import zlib
from typing import Final

import numpy as np
import pytest

from capture.gallery import find_tiles
from tests.capture.gallery_families import FAMILIES
from tests.capture.synthetic_gallery import drawn_pictures

PICTURES = drawn_pictures(60, seed=4)
GALLERIES: Final = 3
RECALL: Final = 0.95
PRECISION: Final = 0.98
# Families of which fewer are found yet.
LEAST: Final = {
    "zoom: gap colour behind": (0.90, 0.95),
    "zoom: line in gap colour": (0.90, 0.98),
    "meet: uneven rows": (0.90, 0.95),
    "meet 2020: no gaps": (0.90, 0.90),
    "mixed": (0.72, 0.98),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_family(family: str) -> None:
    tiles = found = reported = 0
    for i in range(GALLERIES):
        gallery = FAMILIES[family](np.random.default_rng([9, i, zlib.crc32(family.encode())]), PICTURES)
        boxes = [tile.box for tile in find_tiles(gallery.image)]
        tiles += len(gallery.boxes)
        found += sum(any(box.iou(truth) >= 0.8 for box in boxes) for truth in gallery.boxes)
        reported += sum(not any(box.iou(other) >= 0.8 for other in gallery.optional) for box in boxes)
    recall, precision = LEAST.get(family, (RECALL, PRECISION))
    assert found >= recall * tiles
    assert found >= precision * reported
