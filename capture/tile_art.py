"""What surrounds a face in the synthetic class: rooms, clothes, glasses, name labels, cards. All drawn by code."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Garment = Literal["tee", "sweater", "hoodie", "shirt", "blazer", "turtleneck"]
Room = Literal["wall", "shelf", "window", "picture", "plant", "blurred", "sunset", "kitchen"]

GARMENTS: Final[tuple[Garment, ...]] = ("tee", "sweater", "hoodie", "shirt", "blazer", "turtleneck")
ROOMS: Final[tuple[Room, ...]] = (
    "wall",
    "shelf",
    "window",
    "picture",
    "plant",
    "blurred",
    "sunset",
    "kitchen",
)

_CLOTH: Final = (
    (52, 58, 72),
    (118, 40, 48),
    (38, 66, 92),
    (86, 98, 84),
    (168, 158, 144),
    (206, 200, 190),
    (60, 84, 74),
    (150, 96, 68),
    (88, 76, 108),
    (36, 38, 42),
    (176, 122, 58),
    (108, 128, 152),
    (190, 140, 140),
    (70, 110, 116),
)
_WALLS: Final = (
    (196, 188, 176),
    (172, 182, 188),
    (206, 202, 196),
    (150, 160, 150),
    (186, 170, 158),
    (134, 146, 160),
    (210, 196, 178),
    (164, 156, 168),
)


def draw_room(kind: Room, width: int, height: int, seed: int) -> Picture:
    """A blurred room behind a person.

    Args:
        kind: what stands in it.
        width, height: of the tile in pixels.
        seed: of its colours and places.

    Returns:
        uint8 (height, width, 3) RGB.
    """
    random = np.random.default_rng((seed, 11))
    wide, high = 480, 270
    wall = np.array(_WALLS[int(random.integers(len(_WALLS)))], np.float32)
    canvas = np.empty((high, wide, 3), np.float32)
    fall = np.linspace(1.06, 0.86, high, dtype=np.float32)[:, None]
    near, far = (float(light) for light in random.permutation([1.08, 0.84]))
    side = np.linspace(near, far, wide, dtype=np.float32)[None, :]
    canvas[:] = wall * (fall * side)[..., None]
    _FURNISH[kind](canvas, random)
    focus = {"wall": 3.0, "blurred": 11.0, "sunset": 1.2}.get(kind, float(random.uniform(2.2, 5.0)))
    canvas = cv2.GaussianBlur(canvas, (0, 0), focus)
    down, across = np.mgrid[0:high, 0:wide].astype(np.float32)
    away = ((across / wide - 0.5) ** 2 * 1.2 + (down / high - 0.45) ** 2) * 0.42
    canvas *= (1 - away)[..., None] * np.float32(random.uniform(0.86, 1.1))
    canvas += cv2.resize(random.normal(0, 1.2, (high // 2, wide // 2)).astype(np.float32), (wide, high))[
        ..., None
    ]
    shrunk = cv2.resize(
        canvas, (width, height), interpolation=cv2.INTER_AREA if width < wide else cv2.INTER_CUBIC
    )
    return np.asarray(np.clip(shrunk, 0, 255), np.uint8)


def _box(
    canvas: NDArray[np.float32], left: float, top: float, right: float, bottom: float, colour: Any
) -> None:
    cv2.rectangle(
        canvas,
        (round(left), round(top)),
        (round(right), round(bottom)),
        tuple(float(value) for value in colour),
        -1,
        cv2.LINE_AA,
    )


def _nothing(canvas: NDArray[np.float32], random: np.random.Generator) -> None:
    if random.random() < 0.6:  # a door frame or the corner of the room
        x = float(random.choice([random.uniform(20, 110), random.uniform(370, 460)]))
        _box(canvas, x, -5, x + 9, 280, canvas[130, round(x)] * 0.82)
        _box(canvas, x + 9, -5, 500 if x > 240 else x + 12, 280, canvas[130, round(x)] * 0.93)


def _shelf(canvas: NDArray[np.float32], random: np.random.Generator) -> None:
    wood = np.array([random.uniform(80, 170)] * 3) * [1.0, 0.82, 0.64]
    left, right = sorted(random.choice([[-20, 210], [270, 520], [-20, 520]], 1)[0])
    for top in range(-30, 270, 78):
        _box(canvas, left, top, right, top + 78, wood * 0.55)
        x = left + 6.0
        while x < right - 8:
            thick = random.uniform(6, 17)
            if random.random() < 0.86:
                tall = random.uniform(40, 64)
                tint = np.array(_CLOTH[int(random.integers(len(_CLOTH)))]) * random.uniform(0.7, 1.25)
                _box(canvas, x, top + 72 - tall, x + thick - 1.5, top + 72, np.clip(tint, 10, 235))
            x += thick
        _box(canvas, left, top + 71, right, top + 79, wood)


def _window(canvas: NDArray[np.float32], random: np.random.Generator) -> None:
    left = float(random.choice([random.uniform(-40, 40), random.uniform(290, 350)]))
    sky = np.array([214, 226, 236]) * random.uniform(0.9, 1.06)
    _box(canvas, left - 6, 8, left + 146, 206, (228, 224, 216))
    _box(canvas, left, 14, left + 140, 200, np.minimum(sky, 252))
    for _ in range(7):  # trees outside
        x, y = random.uniform(left + 10, left + 130), random.uniform(120, 190)
        green = np.array([120, 146, 104]) * random.uniform(0.8, 1.2)
        cv2.circle(canvas, (round(x), round(y)), round(random.uniform(14, 26)), tuple(green.tolist()), -1)
    _box(canvas, left - 6, 192, left + 146, 206, (222, 218, 210))
    _box(canvas, left + 66, 10, left + 74, 204, (228, 224, 216))
    curtain = np.array(_WALLS[int(random.integers(len(_WALLS)))]) * random.uniform(0.75, 1.0)
    for index in range(5):
        x = left + 140 + index * 9 if left < 240 else left - 52 + index * 9
        _box(canvas, x, 0, x + 9, 270, curtain * (0.86 + 0.12 * (index % 2)))


def _frames(canvas: NDArray[np.float32], random: np.random.Generator) -> None:
    for _ in range(int(random.integers(1, 4))):
        x = float(random.choice([random.uniform(10, 110), random.uniform(330, 400)]))
        y, width, height = random.uniform(12, 80), random.uniform(44, 84), random.uniform(48, 90)
        _box(canvas, x - 4, y - 4, x + width + 4, y + height + 4, [random.choice([40, 120, 226])] * 3)
        _box(canvas, x, y, x + width, y + height, (226, 222, 214))
        tint = np.array(_CLOTH[int(random.integers(len(_CLOTH)))]) * 1.25
        _box(canvas, x + 8, y + 8, x + width - 8, y + height * 0.6, np.minimum(tint, 240))
        _box(canvas, x + 8, y + height * 0.6, x + width - 8, y + height - 8, np.minimum(tint * 0.7, 240))


def _plant(canvas: NDArray[np.float32], random: np.random.Generator) -> None:
    _nothing(canvas, random)
    x = float(random.choice([random.uniform(30, 100), random.uniform(380, 450)]))
    _box(canvas, x - 22, 196, x + 22, 262, (178, 130, 104))
    for _ in range(34):
        angle, reach = random.uniform(-np.pi * 0.95, -np.pi * 0.05), random.uniform(40, 120)
        tip = (x + np.cos(angle) * reach * 0.7, 200 + np.sin(angle) * reach)
        green = np.array([64, 104, 62]) * random.uniform(0.7, 1.5)
        cv2.ellipse(
            canvas,
            (round((x + tip[0]) / 2), round((200 + tip[1]) / 2)),
            (round(reach / 2), round(random.uniform(5, 10))),
            float(np.degrees(np.arctan2(tip[1] - 200, tip[0] - x))),
            0,
            360,
            tuple(green.tolist()),
            -1,
            cv2.LINE_AA,
        )


def _bokeh(canvas: NDArray[np.float32], random: np.random.Generator) -> None:
    for _ in range(9):
        x, y = random.uniform(0, 480), random.uniform(0, 220)
        tint = np.array(_CLOTH[int(random.integers(len(_CLOTH)))]) * random.uniform(0.8, 1.5)
        _box(canvas, x, y, x + random.uniform(30, 120), y + random.uniform(30, 140), np.clip(tint, 0, 240))
    lamp = (round(float(random.uniform(20, 120))), round(float(random.uniform(30, 110))))
    cv2.circle(canvas, lamp, 26, (250, 226, 180), -1)


def _sunset(canvas: NDArray[np.float32], random: np.random.Generator) -> None:
    top, low = (
        ((86, 122, 186), (244, 188, 142)) if random.random() < 0.5 else ((92, 160, 214), (214, 232, 240))
    )
    ramp = np.linspace(0, 1, 150, dtype=np.float32)[:, None, None]
    canvas[:150] = np.array(top, np.float32) * (1 - ramp) + np.array(low, np.float32) * ramp
    across = np.arange(480)
    for index, (base, shade) in enumerate(((132, 0.62), (152, 0.46), (176, 0.34))):
        ridge = base + sum(
            random.uniform(3, 16) * np.sin(across / random.uniform(18, 90) + random.uniform(0, 6))
            for _ in range(4)
        )
        tint = np.array([118, 150, 140]) * shade * (1 + 0.2 * index)
        points = np.stack([np.r_[0, across, 479], np.r_[270, ridge, 270]], 1)
        cv2.fillPoly(canvas, [points.round().astype(np.int32)], tuple(tint.tolist()), cv2.LINE_AA)


def _kitchen(canvas: NDArray[np.float32], random: np.random.Generator) -> None:
    front = np.array([random.uniform(120, 215)] * 3) * [1.0, 0.98, 0.95]
    for index in range(6):
        _box(canvas, index * 84 - 10, -10, index * 84 + 70, 84, front * random.uniform(0.95, 1.03))
        _box(canvas, index * 84 + 60, 58, index * 84 + 63, 76, (90, 90, 92))
    _box(canvas, -10, 84, 490, 90, front * 0.6)
    _box(canvas, -10, 206, 490, 216, (92, 84, 78))
    _box(canvas, -10, 216, 490, 280, front * 0.92)
    for _ in range(5):
        x = random.uniform(0, 460)
        tint = np.array(_CLOTH[int(random.integers(len(_CLOTH)))]) * 1.2
        _box(canvas, x, 206 - random.uniform(18, 48), x + random.uniform(12, 30), 206, np.minimum(tint, 240))


_FURNISH: Final = {
    "wall": _nothing,
    "shelf": _shelf,
    "window": _window,
    "picture": _frames,
    "plant": _plant,
    "blurred": _bokeh,
    "sunset": _sunset,
    "kitchen": _kitchen,
}


@dataclass(frozen=True, slots=True)
class Stage:
    """The picture on which a person is put together: a tile with a margin, so that it may sway.

    Attributes:
        width, height: in pixels.
        centre: x of the neck.
        top: y of the top of the head picture.
        zoom: pixels of the stage per pixel of the head picture.
    """

    width: int
    height: int
    centre: float
    top: float
    zoom: float

    def at(self, points: NDArray[np.float64]) -> NDArray[np.int32]:
        """Points (x from the middle, y) of the head picture, (n, 2), in 1/16 pixels of the stage."""
        moved = points * self.zoom + [self.centre, self.top]
        return np.asarray(np.round(moved * 16), np.int32)


def _curve(points: list[tuple[float, float]], steps: int = 10) -> NDArray[np.float64]:
    """A Catmull-Rom spline through `points`."""
    knots = np.array([points[0], *points, points[-1]], float)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        parts.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return np.concatenate([*parts, knots[-1:]])


def _both(half: NDArray[np.float64]) -> NDArray[np.float64]:
    """A closed outline from its right half, given from the middle of the top outwards and down."""
    other = half[::-1] * [-1, 1]
    return np.concatenate([half, other])


def draw_garment(kind: Garment, stage: Stage, *, narrow: bool, seed: int) -> tuple[Picture, Picture]:
    """Clothes on shoulders.

    Args:
        kind: of garment.
        stage: where the person stands.
        narrow: narrower shoulders.
        seed: of colour and folds.

    Returns:
        What lies behind the head (a hood, the back of a collar) and what lies before it: uint8 (H, W, 4) RGB and alpha.
    """
    random = np.random.default_rng((seed, 23))
    colour = np.array(_CLOTH[int(random.integers(len(_CLOTH)))], np.float32) * np.float32(
        random.uniform(0.9, 1.12)
    )
    girth = (0.84 if narrow else 1.0) * float(random.uniform(0.97, 1.06))
    slope = float(random.uniform(-4, 5))
    dip = {"tee": 252, "sweater": 247, "hoodie": 250, "shirt": 262, "blazer": 272, "turtleneck": 233}[kind]
    edge = 232 if kind != "turtleneck" else 229
    neckline = _curve([(0, dip), (17, dip - 3.5), (31, (dip + edge) / 2 + 1), (38, edge)])
    shoulder = _curve(
        [
            (38, edge),
            (39, 236) if kind == "turtleneck" else (43, (edge + 238) / 2),
            (48 * girth, 238 + slope * 0.3),
            (82 * girth, 247 + slope),
            (126 * girth, 257 + slope),
            (163 * girth, 274 + slope),
            (182 * girth, 312),
            (190 * girth, 360),
            (196 * girth, 480),
        ]
    )
    outline = _both(np.concatenate([neckline, shoulder, [[0, 480]]]))
    shape = _mask(stage, [outline])
    shade = _folds(stage, random)
    cloth = np.clip(colour * shade[..., None], 0, 255)
    back = np.zeros((stage.height, stage.width, 4), np.uint8)
    collar = _both(_curve([(0, 225), (26, 226), (40, 230), (46, 240), (30, 262), (0, 270)]))
    if kind == "hoodie":
        collar = _both(_curve([(0, 206), (30, 209), (52, 221), (62, 238), (60, 262), (0, 280)]))
    back[..., :3] = np.clip(colour * (0.55 if kind == "hoodie" else 0.42), 0, 255).astype(np.uint8)
    back[..., 3] = np.round(_mask(stage, [collar]) * 255).astype(np.uint8)
    _trim(kind, cloth, shade, stage, neckline, colour, random)
    front = np.empty((stage.height, stage.width, 4), np.uint8)
    front[..., :3] = np.clip(cloth, 0, 255).astype(np.uint8)
    front[..., 3] = np.round(shape * 255).astype(np.uint8)
    return back, front


def _trim(
    kind: Garment,
    cloth: NDArray[np.float32],
    shade: NDArray[np.float32],
    stage: Stage,
    neckline: NDArray[np.float64],
    colour: NDArray[np.float32],
    random: np.random.Generator,
) -> None:
    """Bands, collars, strings and lapels, in place."""

    def paint(shapes: list[NDArray[np.float64]], tint: NDArray[np.float32], softness: float = 0.7) -> None:
        cover = cv2.GaussianBlur(_mask(stage, shapes), (0, 0), softness * stage.zoom)
        rows, columns = np.flatnonzero(cover.any(axis=1)), np.flatnonzero(cover.any(axis=0))
        if not rows.size:
            return
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        share = cover[part][..., None]
        cloth[part] += (np.clip(tint * shade[part][..., None], 0, 255) - cloth[part]) * share

    def band(offset: float, thick: float, tint: NDArray[np.float32]) -> None:
        upper = neckline + np.array([0, offset])
        lower = neckline * [1.05, 1] + np.array([0, offset + thick])
        half = np.concatenate([upper, lower[::-1]])
        paint([half, half * [-1, 1]], tint)

    if kind in ("tee", "sweater"):
        thick = 4.0 if kind == "tee" else 8.0
        band(thick, 1.6, colour * 0.66)
        band(0, thick, colour * 0.93)
    elif kind == "turtleneck":
        for index in range(4):
            band(2.0 + 6 * index, 1.4, colour * 0.8)
    elif kind == "hoodie":
        half = np.concatenate([neckline, _curve([(40, 230), (58, 240), (50, 262), (26, 280), (0, 284)])])
        paint([_both(half)], colour * 0.82, 1.5)
        for side in (-1, 1):
            string = np.array([(13, 262), (16, 262), (17.5, 318), (15, 318)]) * [side, 1]
            paint([string], np.clip(colour * 1.5 + 40, 0, 245), 0.3)
    else:
        inner = np.array([232, 230, 226], np.float32) if random.random() < 0.6 else colour * 1.35 + 24
        if kind == "blazer":
            under = _both(np.array([(0, 200), (40, 200), (37, 240), (20, 300), (0, 360)], float))
            paint([under], inner)
            lapel = np.array(
                [(36, 231), (50, 242), (47, 286), (30, 296), (6, 352), (20, 300), (33, 262)], float
            )
            paint([lapel * [1.0, 1], lapel * [-1, 1]], colour * 0.8)
            paint(
                [np.array([(20, 300), (34, 262), (35.5, 262), (22, 301)]) * [s, 1] for s in (-1, 1)],
                colour * 0.5,
            )
        else:
            placket = np.array([(-3.5, 262), (3.5, 262), (4, 460), (-4, 460)], float)
            paint([placket], colour * 0.9)
            for y in (284, 316, 348):
                paint([_ring(0, y, 1.6)], colour * 1.35 + 20, 0.2)
        flap = np.array([(37, 228), (40, 238), (24, 279), (5, 262), (20, 254), (33, 240)], float)
        tint = inner if kind == "blazer" else colour * 1.1
        fallen = flap + np.array([1.5, 3])
        paint([fallen, fallen * [-1, 1]], colour * 0.55, 1.6)
        paint([flap, flap * [-1, 1]], tint * 0.98, 0.4)


def _ring(x: float, y: float, radius: float) -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], 1)


def _mask(stage: Stage, shapes: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    cover = np.zeros((stage.height, stage.width), np.uint8)
    for shape in shapes:
        cv2.fillPoly(cover, [stage.at(shape)], 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(cover, (0, 0), max(0.4, 0.7 * stage.zoom))
    return np.asarray(soft.astype(np.float32) / 255, np.float32)


def _folds(stage: Stage, random: np.random.Generator) -> NDArray[np.float32]:
    """Light on cloth: rounder at the arms, darker under the chin, with slanting folds."""
    down, across = np.mgrid[0 : stage.height, 0 : stage.width].astype(np.float32)
    x = (across - stage.centre) / stage.zoom
    y = (down - stage.top) / stage.zoom
    shade = 1.04 - 0.34 * (np.abs(x) / 190) ** 3 - 0.10 * (y - 240) / 100
    shade -= 0.26 * np.exp(-(((y - 238) / 13) ** 2) - (x / 34) ** 2)
    shade += np.float32(random.uniform(-0.0007, 0.0007)) * x
    coarse = random.normal(0, 1, (14, 20)).astype(np.float32)
    fine = random.normal(0, 1, (60, 90)).astype(np.float32)
    size = (stage.width, stage.height)
    slant = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    shade += 0.02 * np.sin(slant * 1.6 + np.abs(x) * 0.055 - y * 0.03) + 0.012 * slant
    shade += 0.008 * cv2.resize(fine, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(shade, 0.25, 1.25), np.float32)


@cache
def _font() -> Any:
    return cv2.FontFace("sans")


def text_size(text: str, size: int, weight: int = 400) -> tuple[int, int]:
    """Width and height of a line of text in pixels, `size` being the height of its letters and descenders."""
    _, _, width, height = cv2.getTextSize((1, 1), text, (0, 0), _font(), size, weight)
    return int(width), int(height)


def write(
    image: Picture, text: str, x: int, baseline: int, size: int, colour: Any, weight: int = 400
) -> None:
    """Write a line of text on uint8 (H, W, 3), in place."""
    cv2.putText(image, text, (x, baseline), colour, _font(), size, weight)


def draw_label(name: str, height: int, longest: int, *, muted: bool) -> tuple[Picture, NDArray[np.float32]]:
    """The name label of a tile with its microphone.

    Args:
        name: of the participant.
        height: of the label in pixels.
        longest: widest label in pixels; a longer name is cut with an ellipsis.
        muted: whether the microphone is struck out.

    Returns:
        Colour uint8 (height, W, 3) RGB and cover float32 (height, W, 1), 0..1.
    """
    size = max(7, round(height * 0.62))
    icon = round(height * 0.92) if muted else round(height * 0.32)
    room = longest - icon - round(height * 0.36)
    shown = name
    while text_size(shown, size)[0] > room and len(shown) > 2:
        shown = shown.removesuffix("…")[:-1].rstrip() + "…"
    width = min(longest, icon + text_size(shown, size)[0] + round(height * 0.36))
    colour = np.full((height, width, 3), 22, np.uint8)
    write(colour, shown, icon, round(height * 0.72), size, (255, 255, 255))
    if muted:
        mark = _microphone(height)[:, :width]
        colour[:, : mark.shape[1]] = np.maximum(colour[:, : mark.shape[1]], mark)
    cover = np.where(colour.max(axis=2, keepdims=True) > 40, 1.0, 0.7)
    return colour, cover.astype(np.float32)


@cache
def _microphone(height: int) -> Picture:
    """A red, struck-out microphone in a square of `height` pixels."""
    big = np.zeros((96, 96, 3), np.uint8)
    red = (242, 84, 84)
    cv2.ellipse(big, (50, 36), (11, 11), 0, 180, 360, red, -1, cv2.LINE_AA)
    cv2.rectangle(big, (39, 36), (61, 48), red, -1)
    cv2.ellipse(big, (50, 48), (11, 11), 0, 0, 180, red, -1, cv2.LINE_AA)
    cv2.ellipse(big, (50, 46), (19, 19), 0, 0, 180, red, 5, cv2.LINE_AA)
    cv2.line(big, (50, 65), (50, 76), red, 5, cv2.LINE_AA)
    cv2.line(big, (30, 24), (72, 72), (22, 22, 22), 12, cv2.LINE_AA)
    cv2.line(big, (28, 26), (70, 74), red, 5, cv2.LINE_AA)
    return np.asarray(cv2.resize(big, (height, height), interpolation=cv2.INTER_AREA), np.uint8)


def put_glasses(head: Picture, eyes: NDArray[np.float64], style: int) -> None:
    """Draw spectacles on a head picture uint8 (H, W, 4), in place.

    Args:
        head: RGB and alpha.
        eyes: (2, 2), centres of the left and right eye of the picture.
        style: 0 round and thin, 1 dark and square, 2 rimless above.
    """
    scale = 4
    height, width = head.shape[:2]
    ink = np.zeros((height * scale, width * scale), np.uint8)
    glass = np.zeros_like(ink)
    apart = float(np.linalg.norm(eyes[1] - eyes[0]))
    tone, thick = (((58, 52, 50), 7), ((26, 24, 26), 13), ((70, 60, 52), 9))[style % 3]
    reach = (apart * 0.37, apart * (0.335 if style == 0 else 0.275))
    for eye in eyes:
        centre = eye + np.array([0, apart * 0.045])
        angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        power = 1.0 if style == 0 else 0.62
        x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power * reach[0]
        y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power * reach[1]
        rim = np.round((np.stack([x, y], 1) + centre) * scale).astype(np.int32)
        cv2.fillPoly(glass, [rim], 255, cv2.LINE_AA)
        cv2.polylines(ink, [rim], True, 255, thick, cv2.LINE_AA)
    bridge_y = apart * 0.01
    left, right = eyes[0] + [reach[0], bridge_y], eyes[1] + [-reach[0], bridge_y]
    middle = (left + right) / 2 - [0, apart * 0.05]
    for start, end in (
        (left, middle),
        (middle, right),
        (eyes[0] + [-reach[0], 0], eyes[0] + [-reach[0] - apart * 0.28, -apart * 0.03]),
        (eyes[1] + [reach[0], 0], eyes[1] + [reach[0] + apart * 0.28, -apart * 0.03]),
    ):
        ends = [tuple(int(value) for value in np.round(point * scale)) for point in (start, end)]
        cv2.line(ink, ends[0], ends[1], 255, thick, cv2.LINE_AA)
    cover = cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255
    lens = (
        cv2.resize(glass, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255
    )
    colour = head[..., :3].astype(np.float32)
    colour = colour * (1 - 0.05 * lens) + 9 * lens
    solid = head[..., 3:].astype(np.float32) / 255  # no rim beside the face when it turns
    cover, lens = cover * solid, lens * solid
    shadow = cv2.GaussianBlur(np.roll(cover, 2, axis=0), (0, 0), 1.5)[..., None]
    colour = colour * (1 - 0.35 * shadow)
    head[..., :3] = np.clip(colour * (1 - cover) + np.array(tone, np.float32) * cover, 0, 255).astype(
        np.uint8
    )
