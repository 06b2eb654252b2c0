"""Composed pictures: photographs of people as tiles of a meeting, with the truth of every face."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector import drawn
from models.detector.covers import blob, cover
from models.detector.figures import scatter_figures
from models.detector.ink import blank, name_of, shade, write
from models.detector.photo import Photo
from models.detector.placing import (
    clipped_boxes,
    from_middles,
    mean_over,
    mirrored,
    moved_faces,
    resized,
    shown_shares,
    transformed_boxes,
    upright_box,
)
from models.detector.spoil import spoil

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
Rng = np.random.Generator

SMALLEST_TAUGHT: Final = 9
"""Face height in pixels under which a face is neither taught nor counted."""
_SHOWN: Final = 0.55
_HIDDEN: Final = 0.12
"""Shares of a face's box: with the first it is a face, with less than the second it is background."""
TILE: Final = 112
"""Pixels to which the product's reader brings a tile (`inference.reader.TILE_HEIGHT`)."""
_GAP: Final = 4
_CUT: Final = (0.15, 0.38)
"""Share of its width or height by which a face is cut off that is to be: the rest is still a face (`_SHOWN`)."""
_ASPECT: Final = 0.78
"""About the width of a face in heights."""
WHOLE: Final = 0.42
"""Share of the pictures that are one large photograph, without tiles."""
WALL: Final = 0.18
"""Share of the pictures that are many small photographs: sharp faces of few pixels, which tiles seldom show."""
HARD: Final = 0.6
"""Share of the large photographs that are drawn from those that the network to begin with reads wrong."""
_COMPANY: Final = 0.35
"""Share of the large photographs that are chosen for showing several faces: most show one, large and in the middle."""
_BESIDE: Final = 0.35
"""Share of the large photographs into which somebody else is put at the edge, the face cut off: teachers are seldom
sure of those, so that photographs alone teach few. Who was there before is hidden in every fourth."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture and its truth.

    Attributes:
        picture: uint8 (H, W, 3) RGB.
        boxes: float32 (N, 4): left, top, right, bottom of each face, clipped to what shows of it.
        landmarks: float32 (N, 5, 2); a point may lie beyond the tile.
        doubtful: float32 (M, 4), where a face may be or is too little of one.
    """

    picture: Picture
    boxes: Floats
    landmarks: Floats
    doubtful: Floats


_NOTHING: Final = Scene(
    np.zeros((1, 1, 3), np.uint8),
    np.zeros((0, 4), np.float32),
    np.zeros((0, 5, 2), np.float32),
    np.zeros((0, 4), np.float32),
)


def compose(
    photos: Sequence[Photo],
    size: int,
    rng: Rng,
    classes: Sequence[Photo] = (),
    least: int = 40,
    hard: Sequence[Photo] = (),
) -> Scene:
    """A picture of `size` x `size` pixels: part of a meeting window, one large photograph or a wall of small ones.

    Args:
        photos: to draw from, at least one with a face.
        classes: pictures of the synthetic class, shown in part now and then.
        least: height in pixels of the lowest tiles.
        hard: of the large photographs `HARD` are drawn from these, if there are any.
        size: side of the picture in pixels.
        rng: the same state gives the same scene.
    """
    if classes and rng.random() < 0.1:
        scene = _whole(classes, size, rng)
    else:
        roll = rng.random()
        if roll < WHOLE:
            scene = _whole(photos, size, rng, hard if rng.random() < HARD else ())
        elif roll < WHOLE + WALL:
            scene = _wall(photos, size, rng)
        else:
            scene = _grid(photos, size, rng, least)
    if rng.random() < 0.2:
        scene = replace(scene, picture=spoil(scene.picture, rng))
    return scene


def compose_gallery(photos: Sequence[Photo], columns: int, rng: Rng) -> Scene:
    """A whole gallery of `columns` x `columns` tiles in any state, as the product's mosaic lays them out.

    Args:
        photos: to draw from, at least one with a face.
        columns: and rows, 1 or more.
        rng: the same state gives the same scene.
    """
    width = round(TILE * float(rng.choice([16 / 9, 16 / 9, 4 / 3, 1.0])))
    picture = blank(columns * (width + _GAP), columns * (TILE + _GAP), (0, 0, 0))
    parts = [_NOTHING]
    for row in range(columns):
        for column in range(columns):
            tile = make_tile(photos, width, TILE, rng)
            left, top = column * (width + _GAP), row * (TILE + _GAP)
            _paint(picture, tile.picture, left, top)
            parts.append(_shifted(tile, left, top, picture.shape[1], picture.shape[0]))
    return replace(_joined(parts), picture=picture)


def compose_galleries(photos: Sequence[Photo], count: int, seed: int) -> list[Scene]:
    """So many galleries of 2 x 2 to 7 x 7 tiles; the same seed gives the same."""
    rng = np.random.default_rng([seed, 77])
    return [compose_gallery(photos, 2 + number % 6, rng) for number in range(count)]


def as_scene(photo: Photo) -> Scene:
    """The photograph as it is, with the faces that it holds."""
    return Scene(photo.picture, photo.boxes, photo.landmarks, photo.doubtful)


def small_photographs(photos: Sequence[Photo]) -> list[Scene]:
    """Every photograph at 15 to 50 % of its size, always the same."""
    rng = np.random.default_rng(11)
    return [as_scene(resized(photo, float(rng.uniform(0.15, 0.5)))) for photo in photos]


def compose_tilted(
    photos: Sequence[Photo], tilt: float, rng: Rng, *, kind: str | None = None, cut: bool = False
) -> Scene:
    """One tile with one face.

    Args:
        photos: to draw from, at least one with a face.
        tilt: of the face in degrees, clockwise.
        rng: the same state gives the same scene.
        kind: what covers the face in part, one of `covers.KINDS`; None: mostly nothing.
        cut: whether an edge of the tile cuts off a part of the face.
    """
    width = round(TILE * 16 / 9)
    scene = replace(_NOTHING, picture=_background(photos, width, TILE, rng))
    tall = TILE * math.exp(rng.uniform(math.log(0.2), math.log(0.55)))
    x, y = width * float(rng.uniform(0.4, 0.6)), TILE * float(rng.uniform(0.42, 0.55))
    if cut:
        x, y = _cut_off(tall, x, y, width, TILE, rng)
    return _with_person(scene, photos, tall, x, y, rng, tilt, kind)


def _cut_off(tall: float, x: float, y: float, width: int, height: int, rng: Rng) -> tuple[float, float]:
    """Where the middle of an upright face `tall` pixels high lies that an edge of the picture cuts off (`_CUT`); along
    that edge as given."""
    inside = 0.5 - float(rng.uniform(*_CUT))  # from the edge to the face's middle, in faces
    across, down = inside * _ASPECT * tall, inside * tall
    return [(across, y), (width - across, y), (x, down), (x, height - down)][int(rng.integers(4))]


def compose_face(
    photo: Photo, photos: Sequence[Photo], size: tuple[int, int], tall: float, tilt: float, rng: Rng
) -> Scene:
    """One tile with one face somewhere in it, sometimes cut off by the tile's edge or covered in part.

    Args:
        photo: with the face or faces to choose from.
        photos: from which the background may come.
        size: width and height of the tile in pixels.
        tall: height in pixels of the face.
        tilt: of the face in degrees, clockwise.
        rng: the same state gives the same scene.
    """
    width, height = size
    scene = replace(_NOTHING, picture=_background(photos, width, height, rng))
    x = float(rng.uniform(0, width)) if rng.random() < 0.25 else width * float(rng.uniform(0.35, 0.65))
    y = float(rng.uniform(0, height)) if rng.random() < 0.25 else height * float(rng.uniform(0.4, 0.6))
    return _with_person(scene, [photo], tall, x, y, rng, tilt)


def _grid(photos: Sequence[Photo], size: int, rng: Rng, least: int) -> Scene:
    """Tiles with gaps, cut off where the picture ends, as a part of a larger window."""
    like_the_product = rng.random() < 0.55
    height = TILE if like_the_product else round(math.exp(rng.uniform(math.log(least), math.log(240))))
    aspect = float(rng.choice([16 / 9, 16 / 9, 16 / 9, 4 / 3, 1.0, 0.75, 9 / 16]))
    width = max(24, round(height * aspect))
    gap = _GAP if like_the_product else int(rng.integers(0, 12))
    ground = (0, 0, 0) if like_the_product else shade(rng, *((0, 60) if rng.random() < 0.7 else (200, 256)))
    picture = blank(size, size, ground)
    left0, top0 = -int(rng.integers(0, width)), -int(rng.integers(0, height))
    parts = [_NOTHING]
    for top in range(top0, size, height + gap):
        for left in range(left0, size, width + gap):
            tile = make_tile(photos, width, height, rng)
            _paint(picture, tile.picture, left, top)
            parts.append(_shifted(tile, left, top, size, size))
            if rng.random() < 0.06:
                _border(picture, left, top, width, height, rng)
    return replace(_joined(parts), picture=picture)


def _border(picture: Picture, left: int, top: int, width: int, height: int, rng: Rng) -> None:
    colour = (35, 217, 89) if rng.random() < 0.6 else shade(rng, 60)
    thick = int(rng.integers(1, 4))
    cv2.rectangle(picture, (left, top), (left + width - 1, top + height - 1), colour, thick)


def make_tile(photos: Sequence[Photo], width: int, height: int, rng: Rng) -> Scene:
    """One tile in any state."""
    roll = rng.random()
    if roll < 0.72:
        tile = _person(photos, width, height, rng)
    elif roll < 0.76:
        tile = replace(_NOTHING, picture=drawn.card(width, height, rng))
    elif roll < 0.86:
        tile = replace(_NOTHING, picture=drawn.avatar_card(width, height, rng))
    elif roll < 0.94:
        tile = replace(_NOTHING, picture=_background(photos, width, height, rng))
    elif roll < 0.97:
        tile = replace(_NOTHING, picture=drawn.slide(width, height, rng))
    else:
        tile = replace(_NOTHING, picture=drawn.pattern(width, height, rng))
    picture = tile.picture
    if rng.random() < 0.5:
        picture = spoil(picture, rng)
    if rng.random() < 0.6:
        _label(picture, rng)
    return replace(tile, picture=picture)


def _label(picture: Picture, rng: Rng) -> None:
    """A name on a strip at the bottom left."""
    height, width = picture.shape[:2]
    size = int(np.clip(height * rng.uniform(0.06, 0.12), 6, 22))
    strip = min(round(size * 1.6), height // 3)
    name = name_of(rng)
    part = picture[height - strip :, : min(width, round(size * 0.62 * len(name)))]
    dark = rng.random() < 0.85
    if rng.random() < 0.8:
        part[:] = (part * 0.45 + (11.0 if dark else 132.0)).astype(np.uint8)
    write(part, name, size, (size / 2, strip / 2), "lm", (245, 245, 245) if dark else (30, 30, 30))


def _person(photos: Sequence[Photo], width: int, height: int, rng: Rng) -> Scene:
    """One person before a background, sometimes two or three; near or far, tilted, cut off, covered."""
    tall = height * math.exp(rng.uniform(math.log(0.16), math.log(1.05 if rng.random() < 0.2 else 0.65)))
    tall = max(tall, 10.0)
    background = _background(photos, width, height, rng)
    if rng.random() < 0.15:
        blob(background, rng)
    scene = replace(_NOTHING, picture=background)
    count = 1 if rng.random() < 0.85 else int(rng.integers(2, 4))
    for number in range(count):
        if count > 1:
            tall = min(tall, width / count * 0.7, height * 0.55)
            x = width * (number + float(rng.uniform(0.35, 0.65))) / count
        elif rng.random() < 0.2:
            x = float(rng.uniform(0, width))
        else:
            x = width * float(np.clip(rng.normal(0.5, 0.14), 0.05, 0.95))
        room = max(0.0, height - tall)
        y = tall / 2 + room * float(np.clip(rng.normal(0.42, 0.22), -0.05, 1.05))
        if rng.random() < 0.12:
            y += float(rng.choice([-1, 1])) * tall * float(rng.uniform(0.2, 0.5))
        scene = _with_person(scene, photos, tall, x, y, rng)
    return scene


def _with_person(
    scene: Scene,
    photos: Sequence[Photo],
    tall: float,
    x: float,
    y: float,
    rng: Rng,
    tilt: float | None = None,
    kind: str | None = None,
) -> Scene:
    """The scene with one more person, whose face is `tall` pixels high and lies around (x, y), behind a cover of this
    kind or now and then of any."""
    photo = _photo_with_face(photos, rng)
    chosen = int(rng.integers(len(photo.boxes)))
    if tilt is None:
        tilt = float(rng.uniform(-55, 55)) if rng.random() < 0.4 else float(rng.normal(0, 8))
    height, width = scene.picture.shape[:2]
    box = photo.boxes[chosen]
    scale = tall / float(box[3] - box[1])
    source = photo
    if scale < 0.75:  # averaging first: a face from few pixels must not be made of noise
        source = resized(photo, scale)
        box, scale = source.boxes[chosen], 1.0
    centre = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    there = cv2.getRotationMatrix2D(centre, -tilt, scale).astype(np.float32)
    there[:, 2] += (x - centre[0], y - centre[1])
    if rng.random() < 0.25 and scale >= 0.99:
        there = (np.array([[rng.uniform(0.9, 1.1), 0], [0, 1]], np.float32) @ there).astype(np.float32)
    mask = _figure_mask(source, chosen, rng)
    ways = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    drawn_by = from_middles(there)
    person = cv2.warpAffine(source.picture, drawn_by, (width, height), **ways)
    weight = cv2.warpAffine(mask, drawn_by, (width, height), **ways).astype(np.float32)[..., None] / 255
    picture = (weight * person + (1 - weight) * scene.picture).astype(np.uint8)
    tilted, points = moved_faces(source, there, tilt)
    if kind is not None or rng.random() < 0.16:
        upright = upright_box(tilted[chosen], source.boxes[chosen], float(np.linalg.norm(there[:, 1])))
        cover(picture, upright, points[chosen], tilt, rng, kind)
    showing = shown_shares(tilted, weight[..., 0])
    faces = (showing >= _SHOWN) & (tilted[:, 3] - tilted[:, 1] >= SMALLEST_TAUGHT)
    between = (showing > _HIDDEN) & ~faces
    unsure = transformed_boxes(source.doubtful, there)
    before = _uncovered(scene, weight[..., 0])
    added = Scene(
        picture,
        clipped_boxes(tilted[faces], width, height),
        points[faces],
        clipped_boxes(
            np.concatenate([tilted[between], unsure[shown_shares(unsure, weight[..., 0]) > _HIDDEN]]),
            width,
            height,
        ),
    )
    return replace(_joined([before, added]), picture=picture)


def _uncovered(scene: Scene, weight: Floats) -> Scene:
    """The scene's faces that the new person does not hide; the half hidden become doubtful."""
    if not len(scene.boxes):
        return scene
    hidden = np.array([mean_over(weight, box) for box in scene.boxes])
    kept, half = hidden < 0.3, (hidden >= 0.3) & (hidden < 0.9)
    return Scene(
        scene.picture,
        scene.boxes[kept],
        scene.landmarks[kept],
        np.concatenate([scene.doubtful, scene.boxes[half]]),
    )


def _figure_mask(photo: Photo, chosen: int, rng: Rng) -> Picture:
    """Which part of the photograph is pasted, uint8 (H, W) 0..255: all but soft edges, or head and shoulders."""
    height, width = photo.picture.shape[:2]
    soft = max(1, round(min(height, width) * 0.06))
    mask = np.zeros((height, width), np.uint8)
    if rng.random() < 0.62:
        mask[soft:, soft : width - soft] = 255
        mask = cv2.blur(mask, (soft, soft))
        mask[-1] = mask[-2]
    else:
        left, top, right, bottom = map(float, photo.boxes[chosen])
        x, y, w, h = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
        head = (round(w * rng.uniform(0.72, 0.95)), round(h * rng.uniform(0.75, 0.95)))
        cv2.ellipse(mask, (round(x), round(y - 0.08 * h)), head, 0, 0, 360, 255, -1)
        body = (round(w * rng.uniform(1.1, 1.7)), round(h * rng.uniform(0.6, 0.9)))
        cv2.ellipse(mask, (round(x), round(y + 1.25 * h)), body, 0, 0, 360, 255, -1)
        mask = cv2.blur(mask, (max(1, soft // 2), max(1, soft // 2)))
    return np.asarray(mask, np.uint8)


def _background(photos: Sequence[Photo], width: int, height: int, rng: Rng) -> Picture:
    """What may stand behind a person: a room, a piece of a photograph without faces, one colour, a pattern, blur."""
    roll = rng.random()
    if roll < 0.12:
        return _out_of_focus(photos[int(rng.integers(len(photos)))].picture, width, height, rng)
    if roll < 0.5:
        piece = _faceless(photos, rng)
        if piece is not None:
            way = cv2.INTER_AREA if piece.shape[0] > height else cv2.INTER_LINEAR
            picture = np.asarray(cv2.resize(piece, (width, height), interpolation=way), np.uint8)
            if rng.random() < 0.35:
                picture = np.asarray(cv2.blur(picture, (9, 9)), np.uint8)
            return np.ascontiguousarray(picture)
    if roll < 0.8:
        return drawn.room(width, height, rng)
    if roll < 0.92:
        return blank(width, height, shade(rng, *((0, 256) if rng.random() < 0.6 else (235, 256))))
    return drawn.pattern(width, height, rng)


def _out_of_focus(photo: Picture, width: int, height: int, rng: Rng) -> Picture:
    """A photograph of so few pixels that no face is left of it, mirrored and enlarged: light and dark blobs."""
    few = int(rng.integers(3, 10))
    small = cv2.resize(photo, (few, few), interpolation=cv2.INTER_AREA)
    copies = int(rng.integers(0, 2))
    tiled = cv2.copyMakeBorder(
        small, few * copies, few * copies, few * copies, few * copies, cv2.BORDER_REFLECT_101
    )
    return np.ascontiguousarray(cv2.resize(tiled, (width, height), interpolation=cv2.INTER_CUBIC))


def _faceless(photos: Sequence[Photo], rng: Rng) -> Picture | None:
    """A piece of a photograph that touches neither a face nor where one may be; often a body without its head."""
    photo = photos[int(rng.integers(len(photos)))]
    height, width = photo.picture.shape[:2]
    taken = np.concatenate([photo.boxes, photo.doubtful])
    for _ in range(6):
        w = int(width * rng.uniform(0.25, 1))
        h = int(height * rng.uniform(0.2, 0.7))
        left, top = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
        if rng.random() < 0.4 and len(photo.boxes):
            top = max(top, min(height - h, int(photo.boxes[:, 3].max()) + 2))
        apart = (
            (taken[:, 2] < left)
            | (taken[:, 0] > left + w)
            | (taken[:, 3] < top + 2)
            | (taken[:, 1] > top + h)
        )
        if apart.all():
            return photo.picture[top : top + h, left : left + w]
    return None


def _whole(photos: Sequence[Photo], size: int, rng: Rng, hard: Sequence[Photo] = ()) -> Scene:
    """One photograph, of `hard` if that holds any, that fills the picture, its main face of any size, with somebody put
    at the edge now and then; no tiles."""
    photo = _photo_with_face(hard or photos, rng, several=rng.random() < _COMPANY)
    chosen = int(rng.integers(len(photo.boxes)))
    box = photo.boxes[chosen]
    tall = math.exp(rng.uniform(math.log(14), math.log(size * 0.9)))
    floor = size / min(photo.picture.shape[:2])
    scale = max(tall / float(box[3] - box[1]), floor if rng.random() < 0.7 else 0.0)
    source = resized(photo, scale)
    x, y = (source.boxes[chosen, :2] + source.boxes[chosen, 2:]) / 2
    left = round(float(x) - size * float(rng.uniform(0.25, 0.75)))
    top = round(float(y) - size * float(rng.uniform(0.25, 0.75)))
    height, width = source.picture.shape[:2]
    left = int(np.clip(left, 0, width - size)) if width >= size else -int(rng.integers(0, size - width + 1))
    top = int(np.clip(top, 0, height - size)) if height >= size else -int(rng.integers(0, size - height + 1))
    picture = _background(photos, size, size, rng)
    _paint(picture, source.picture, left * -1, top * -1)
    there = np.array([[1, 0, -left], [0, 1, -top]], np.float32)
    boxes, points = moved_faces(source, there, 0.0)
    inside = np.zeros((size, size), np.float32)
    inside[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)] = 1
    showing = shown_shares(boxes, inside)
    faces = (showing >= _SHOWN) & (boxes[:, 3] - boxes[:, 1] >= SMALLEST_TAUGHT)
    unsure = transformed_boxes(source.doubtful, there)
    unsure = np.concatenate(
        [boxes[(showing > _HIDDEN) & ~faces], unsure[shown_shares(unsure, inside) > _HIDDEN]]
    )
    if rng.random() < 0.12:
        scatter_figures(picture, rng)
    scene = Scene(
        picture, clipped_boxes(boxes[faces], size, size), points[faces], clipped_boxes(unsure, size, size)
    )
    if rng.random() < _BESIDE:
        other = size * math.exp(rng.uniform(math.log(0.1), math.log(0.5)))
        across, down = (size * float(rng.uniform(0.1, 0.9)) for _ in range(2))
        scene = _with_person(scene, photos, other, *_cut_off(other, across, down, size, size, rng), rng)
    return scene


def _wall(photos: Sequence[Photo], size: int, rng: Rng) -> Scene:
    """Small photographs side by side, at 15 to 50 % of their size."""
    side = round(math.exp(rng.uniform(math.log(38), math.log(125))))
    picture = blank(size, size, (0, 0, 0))
    parts = [_NOTHING]
    for top in range(-int(rng.integers(0, side)), size, side + _GAP):
        for left in range(-int(rng.integers(0, side)), size, side + _GAP):
            photo = _photo_with_face(photos, rng)
            small = as_scene(resized(photo, side / min(photo.picture.shape[:2])))
            height, width = small.picture.shape[:2]
            across, down = (int(rng.integers(0, more + 1)) for more in (width - side, height - side))
            small = _shifted(small, -across, -down, side, side)
            _paint(picture, small.picture[down : down + side, across : across + side], left, top)
            parts.append(_shifted(small, left, top, size, size))
    return replace(_joined(parts), picture=picture)


def _photo_with_face(photos: Sequence[Photo], rng: Rng, *, several: bool = False) -> Photo:
    """A photograph with a sure face, with `several` if one is soon drawn, half the time mirrored."""
    for attempt in range(100):
        photo = photos[int(rng.integers(len(photos)))]
        if len(photo.boxes) >= (2 if several and attempt < 50 else 1):
            return mirrored(photo) if rng.random() < 0.5 else photo
    raise ValueError("Hardly a photograph shows a face.")


def _shifted(tile: Scene, left: int, top: int, width: int, height: int) -> Scene:
    """The tile's truth in the picture's pixels; a face that the picture's edge cuts too much becomes doubtful."""
    move = np.array([left, top], np.float32)
    boxes = tile.boxes + np.tile(move, 2)
    inside = clipped_boxes(boxes, width, height)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    shown = np.prod(inside[:, 2:] - inside[:, :2], axis=1) / np.maximum(areas, 1)
    faces = (shown >= _SHOWN) & (inside[:, 3] - inside[:, 1] >= SMALLEST_TAUGHT * 0.7)
    rest = (shown > 0.02) & ~faces
    unsure = clipped_boxes(tile.doubtful + np.tile(move, 2), width, height)
    unsure = unsure[np.prod(unsure[:, 2:] - unsure[:, :2], axis=1) > 0]
    return Scene(
        tile.picture, inside[faces], tile.landmarks[faces] + move, np.concatenate([inside[rest], unsure])
    )


def _joined(parts: Sequence[Scene]) -> Scene:
    return Scene(
        parts[-1].picture,
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.landmarks for part in parts]),
        np.concatenate([part.doubtful for part in parts]),
    )


def _paint(picture: Picture, tile: Picture, left: int, top: int) -> None:
    """Put the tile into the picture in place, as far as it lies inside."""
    height, width = picture.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(width, left + tile.shape[1]), min(height, top + tile.shape[0])
    if x1 > x0 and y1 > y0:
        picture[y0:y1, x0:x1] = tile[y0 - top : y1 - top, x0 - left : x1 - left]
