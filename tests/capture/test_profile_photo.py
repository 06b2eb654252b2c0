"""Profile photos on smooth grounds are told from people before a blurred room, both made of real portraits."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from capture.profile_photo import shows_profile_photo
from tests.capture.synthetic_gallery import draw_label, drawn_pictures, fill, portraits_of

Picture = NDArray[np.uint8]

SIZES = ((256, 144), (320, 180), (480, 270), (640, 360))


@pytest.fixture(scope="module")
def heads(shared_data: Path) -> list[Picture]:
    """Real portraits, head in the middle, uint8 (200, 200, 3) RGB; of people on whom nothing was tuned."""
    table = pq.read_table(
        shared_data / "faces" / "portraits.parquet", columns=["image"], filters=[("split", "=", "test")]
    )
    rows = np.random.default_rng(3).choice(table.num_rows, 40, replace=False)
    raw = [np.frombuffer(table["image"][int(row)].as_py(), np.uint8) for row in rows]
    pictures = [np.asarray(cv2.imdecode(one, cv2.IMREAD_COLOR), np.uint8) for one in raw]
    # without the black corners that some have
    return [np.ascontiguousarray(picture[25:-25, 25:-25, ::-1]) for picture in pictures]


def smooth(picture: Picture, width: int, height: int, kind: str) -> NDArray[np.float32]:
    """A ground: the picture itself blurred, a ramp between two of its colours, or one."""
    tint = picture.reshape(-1, 3).mean(axis=0)
    if kind == "blurred":
        small = cv2.GaussianBlur(fill(picture, 80, 45), (0, 0), 5).astype(np.float32)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) * 0.6, np.float32)
    ramp = np.linspace(0.4, 1.0, width, dtype=np.float32)[None, :, None]
    even = np.full((height, width, 3), tint, np.float32)
    return np.asarray(even * (ramp if kind == "gradient" else 0.5), np.float32)


def mask(width: int, height: int, draw: Callable[[Picture], object]) -> NDArray[np.float32]:
    """What `draw` fills at four times the size, 0..1, float32 (height, width, 1)."""
    large = np.zeros((4 * height, 4 * width), np.uint8)
    draw(large)
    shown = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(shown[..., None] / 255, np.float32)


def around(picture: Picture, width: int, height: int, size: float) -> NDArray[np.float32]:
    """The picture in the middle of a tile, `size` of it high."""
    side = round(size * height)
    scale = side / picture.shape[0]
    move = np.array(
        [
            [scale, 0, width / 2 - picture.shape[1] * scale / 2],
            [0, scale, height / 2 - picture.shape[0] * scale / 2],
        ]
    )
    moved = cv2.warpAffine(
        picture, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.float32)


def photo_card(head: Picture, width: int, height: int, kind: str, size: float, *, square: bool) -> Picture:
    """A tile whose camera is off: the photo, `size` of it high, on its ground, with a name."""
    side, x, y = round(2 * size * height), 2 * width, 2 * height

    def draw(large: Picture) -> None:
        if not square:
            cv2.circle(large, (x, y), side, 255, -1)
            return
        corner = side // 4
        cv2.rectangle(large, (x - side + corner, y - side), (x + side - corner, y + side), 255, -1)
        cv2.rectangle(large, (x - side, y - side + corner), (x + side, y + side - corner), 255, -1)
        for right in (-1, 1):
            for below in (-1, 1):
                middle = (x + right * (side - corner), y + below * (side - corner))
                cv2.circle(large, middle, corner, 255, -1)

    shown = mask(width, height, draw)
    tile = smooth(head, width, height, kind) * (1 - shown) + around(head, width, height, size) * shown
    made = np.ascontiguousarray(tile.astype(np.uint8))
    draw_label(made, "Ada Okafor", "text", shaded=False)
    return made


def person(head: Picture, width: int, height: int, kind: str, roundness: float) -> Picture:
    """A camera's picture: head and shoulders cut out sharply before a smooth ground, the head in the middle."""
    tall = 0.25 * height

    def draw(large: Picture) -> None:
        x, y, high, wide = 2 * width, 2 * height, round(4 * tall), round(4 * tall * roundness)
        cv2.ellipse(large, (x, y), (wide, high), 0, 0, 360, 255, -1)
        cv2.rectangle(large, (x - wide // 2, y), (x + wide // 2, y + 2 * high), 255, -1)
        cv2.ellipse(large, (x, y + 5 * high // 4 + 2 * height), (2 * wide, 2 * height), 0, 0, 360, 255, -1)

    shown = mask(width, height, draw)
    tile = smooth(head, width, height, kind) * (1 - shown) + around(head, width, height, 0.75) * shown
    made = np.ascontiguousarray(tile.astype(np.uint8))
    draw_label(made, "Ada Okafor", "chip")
    return made


@pytest.mark.parametrize("kind", ["blurred", "gradient", "tinted"])
@pytest.mark.parametrize("square", [False, True], ids=["round", "square"])
def test_photos_on_smooth_grounds_are_found(heads: list[Picture], kind: str, *, square: bool) -> None:
    found = shown = 0
    for index, head in enumerate(heads):
        width, height = SIZES[index % len(SIZES)]
        size = (0.3, 0.4, 0.5, 0.6, 0.7)[index % 5]
        shown += 1
        found += shows_profile_photo(photo_card(head, width, height, kind, size, square=square))
    assert shown == 40
    assert found >= 0.95 * shown


@pytest.mark.parametrize("kind", ["blurred", "gradient", "tinted"])
@pytest.mark.parametrize("roundness", [0.75, 0.9, 1.0])
def test_a_person_before_a_smooth_ground_is_none(heads: list[Picture], kind: str, roundness: float) -> None:
    """Even a head that is a circle has shoulders."""
    sizes = ((120, 70), (160, 90), *SIZES)
    for index, head in enumerate(heads):
        tile = person(head, *sizes[index % len(sizes)], kind, roundness)
        assert not shows_profile_photo(tile), index


def test_a_person_in_a_vignette_or_before_a_round_lamp_is_none(heads: list[Picture]) -> None:
    width, height = 320, 180
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(x - width / 2, y - height / 2) / height
    for head in heads:
        tile = person(head, width, height, "blurred", 0.8).astype(np.float32)
        for radius, soft in ((0.3, 0.03), (0.35, 0.08), (0.45, 0.15)):
            light = 1 / (1 + np.exp((away - radius) / soft))
            assert not shows_profile_photo((tile * light[..., None]).astype(np.uint8))
        lamp = np.where((away < 0.33)[..., None] & (tile < 120).all(axis=2, keepdims=True), 245, tile)
        assert not shows_profile_photo(lamp.astype(np.uint8))


def test_portraits_that_fill_their_tile_are_none(shared_data: Path) -> None:
    for portrait in portraits_of(shared_data, 150, seed=8, split="test"):
        for width, height in ((120, 70), (267, 150), (480, 270)):
            assert not shows_profile_photo(fill(portrait.picture, width, height)), portrait.name


def test_drawn_people_and_a_bare_lamp_are_none() -> None:
    assert not any(shows_profile_photo(picture) for picture in drawn_pictures(100, seed=4))
    lamp = np.full((180, 320, 3), 90, np.uint8)
    cv2.circle(lamp, (160, 90), 50, (250, 240, 220), -1, cv2.LINE_AA)
    assert not shows_profile_photo(lamp)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (40, 3), (64, 36)])
def test_tiny_tiles_are_none(size: tuple[int, int]) -> None:
    assert not shows_profile_photo(np.full((size[1], size[0], 3), 80, np.uint8))
