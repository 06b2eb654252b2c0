"""Where a chat panel begins beside a gallery, and that nothing else is taken for one."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from capture.gallery import find_tiles
from capture.panel import panel_edges
from tests.capture.synthetic_gallery import Look, Picture, compose_gallery, drawn_pictures

PICTURES = drawn_pictures(25, seed=3)
WITH_CHAT = Look(size=(1280, 720), gap=6, title_bar=24, toolbar=48, panel=300, labels=False)


def grey(image: Picture) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def test_a_chat_begins_where_its_ground_does() -> None:
    assert panel_edges(grey(compose_gallery(PICTURES[:9], look=WITH_CHAT).image)) == [980]


def test_a_window_without_chat_has_no_panel() -> None:
    gallery = compose_gallery(PICTURES[:9], look=replace(WITH_CHAT, panel=0))
    assert panel_edges(grey(gallery.image)) == []


def test_pictures_beside_each_other_are_no_panel() -> None:
    gallery = compose_gallery(PICTURES[:2], look=replace(WITH_CHAT, panel=0, gap=0, margin=0))
    assert panel_edges(grey(gallery.image)) == []


@pytest.mark.parametrize("count", [2, 3, 5, 9, 16, 25])
@pytest.mark.parametrize("labels", [False, True])
def test_tiles_beside_a_chat_are_found(count: int, labels: bool) -> None:
    gallery = compose_gallery(PICTURES[:count], look=replace(WITH_CHAT, labels=labels))
    boxes = [tile.box for tile in find_tiles(gallery.image)]
    assert len(boxes) == count
    assert all(any(box.iou(truth) >= 0.8 for box in boxes) for truth in gallery.boxes)
