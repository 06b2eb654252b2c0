"""Galleries composed for tests and benchmarks: pictures in, a meeting window with known tiles out.

`compose_gallery` lays given pictures out as a meeting window does and returns the truth beside the picture;
`Look` says how the window looks. `portraits` are real faces from the shared data, `portraits_of` says in addition whose
they are and where the head lies, `drawn_pictures` need no data.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from engagement.records import Box

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

NAMES: Final = (
    "Ada Okafor", "Bjorn Dahl", "Chiara Conti", "Dmitri Sokolov", "Eun-ji Park", "Fatima Zahra", "Grace Lee",
    "Hugo Martin", "Ines Costa", "Jamal Wright", "Keiko Tanaka", "Liam O'Brien", "Mei Chen", "Noah Weber",
    "Olga Nowak", "Priya Raman", "Quentin Blanc", "Rosa Lima", "Sam", "Tariq Aziz", "Uma Devi", "Victor Hugo Alvarez",
    "Wen Li", "Ximena Rojas", "Yusuf Demir", "Zoe Martin",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the window looks. Lengths in pixels of the picture, colours RGB.

    Attributes:
        size: width and height of the window.
        gap: between two tiles.
        aspect: width over height of a tile.
        margin: least distance from the tiles to the edge of their area.
        columns: fixed number of columns; None for the number that makes the tiles largest.
        background, card: colour of the window and of a camera-off tile.
        radius: of the tile's corners.
        title_bar, toolbar: height of the bars at the top and bottom; 0 for none.
        bar: their colour.
        overlay: the toolbar lies over the tiles instead of under them.
        panel: width of a chat panel at the right.
        speaker: index of the active speaker; None for nobody.
        border: colour of the speaker's border.
        border_width: its width; it is drawn outwards into the gap where `border_outside`, else into the tile.
        labels: names are shown.
        label: how: on a strip in the corner (Zoom), on a chip near it (Teams), or as bare text (Meet).
        avatars: a camera that is off shows initials on a disc, not a name.
        jpeg: quality at which the window is compressed; None for none.
        rescale: the finished picture is drawn this much larger and shrunk to `size` (a scaled screenshot).
    """

    size: tuple[int, int] = (1920, 1080)
    gap: int = 6
    aspect: float = 16 / 9
    margin: int = 8
    columns: int | None = None
    background: Colour = (0, 0, 0)
    card: Colour = (36, 36, 36)
    radius: int = 0
    title_bar: int = 0
    toolbar: int = 0
    bar: Colour = (26, 26, 26)
    overlay: bool = False
    panel: int = 0
    speaker: int | None = None
    border: Colour = (34, 214, 88)
    border_width: int = 3
    border_outside: bool = True
    labels: bool = True
    label: Literal["strip", "chip", "text"] = "strip"
    avatars: bool = False
    jpeg: int | None = None
    rescale: float = 1.0


@dataclass(frozen=True, slots=True)
class Gallery:
    """A composed window: `image` uint8 (H, W, 3) RGB, and one box, name and camera flag per tile, row by row;
    `optional` are tiles that may be found or not."""

    image: Picture
    boxes: tuple[Box, ...]
    names: tuple[str, ...]
    camera_on: tuple[bool, ...]
    optional: tuple[Box, ...] = ()


def compose_gallery(
    pictures: Sequence[Picture | None],
    names: Sequence[str] = NAMES,
    look: Look | None = None,
    boxes: Sequence[Box] | None = None,
) -> Gallery:
    """Lay the pictures out in one gallery window.

    Args:
        pictures: one per tile, row by row; uint8 (h, w, 3) RGB of any size, cropped around the centre to fill the
            tile; None for a camera that is off.
        names: repeated where there are fewer names than pictures.
        look: how the window looks.
        boxes: where the tiles are; None for equal ones as large as fit (`lay_out`).

    Raises:
        ValueError: the tiles would be narrower than 24 pixels.
    """
    look = look or Look()
    names = tuple(names[i % len(names)] for i in range(len(pictures)))
    drawn = _scaled_look(look) if look.rescale != 1.0 else look
    if boxes is not None and look.rescale != 1.0:
        boxes = [_scaled_box(box, look.rescale, look.rescale) for box in boxes]
    image, boxes = _draw_window(
        pictures, names, drawn, lay_out(len(pictures), drawn) if boxes is None else boxes
    )
    if look.rescale != 1.0:
        width, height = look.size
        fx, fy = width / image.shape[1], height / image.shape[0]
        image = np.asarray(cv2.resize(image, look.size, interpolation=cv2.INTER_AREA), np.uint8)
        boxes = [_scaled_box(box, fx, fy) for box in boxes]
    if look.jpeg is not None:
        image = jpeg(image, look.jpeg)
    return Gallery(image, tuple(boxes), names, tuple(picture is not None for picture in pictures))


def _scaled_look(look: Look) -> Look:
    def s(length: int) -> int:
        return round(length * look.rescale)

    return replace(
        look,
        size=(s(look.size[0]), s(look.size[1])),
        gap=s(look.gap),
        margin=s(look.margin),
        radius=s(look.radius),
        title_bar=s(look.title_bar),
        toolbar=s(look.toolbar),
        panel=s(look.panel),
        border_width=s(look.border_width),
    )


def _scaled_box(box: Box, fx: float, fy: float) -> Box:
    left, top = round(box.left * fx), round(box.top * fy)
    return Box(left, top, round(box.right * fx) - left, round(box.bottom * fy) - top)


def lay_out(count: int, look: Look) -> list[Box]:
    """Boxes of `count` equal tiles as large as the area allows, the last row centred."""
    width, height = look.size
    area_width = width - look.panel - 2 * look.margin
    bottom = 0 if look.overlay else look.toolbar
    area_height = height - look.title_bar - bottom - 2 * look.margin
    best = (0.0, 1)
    for columns in [look.columns] if look.columns else range(1, count + 1):
        rows = math.ceil(count / columns)
        tile = min(
            (area_width - (columns - 1) * look.gap) / columns,
            (area_height - (rows - 1) * look.gap) / rows * look.aspect,
        )
        best = max(best, (tile, columns))
    tile_width, columns = int(best[0]), best[1]
    tile_height = int(best[0] / look.aspect)
    if tile_width < 24:
        raise ValueError(f"{count} tiles do not fit into {look.size}")
    rows = math.ceil(count / columns)
    used_height = rows * tile_height + (rows - 1) * look.gap
    top = look.title_bar + look.margin + (area_height - used_height) // 2
    boxes = []
    for row in range(rows):
        here = min(columns, count - row * columns)
        used = here * tile_width + (here - 1) * look.gap
        left = look.margin + (area_width - used) // 2
        boxes += [
            Box(
                left + i * (tile_width + look.gap),
                top + row * (tile_height + look.gap),
                tile_width,
                tile_height,
            )
            for i in range(here)
        ]
    return boxes


def _draw_window(
    pictures: Sequence[Picture | None], names: Sequence[str], look: Look, boxes: Sequence[Box]
) -> tuple[Picture, list[Box]]:
    width, height = look.size
    image = np.empty((height, width, 3), np.uint8)
    image[:] = look.background
    for index, (box, picture) in enumerate(zip(boxes, pictures, strict=True)):
        tile = _tile(picture, names[index], box, look)
        mask = _rounded(box.width, box.height, look.radius)
        here = image[box.top : box.bottom, box.left : box.right]
        if index == look.speaker:
            _draw_border(image, box, look)
        here[:] = np.where(mask[..., None] > 0, tile, here) if look.radius else tile
        if index == look.speaker and not look.border_outside:
            w = look.border_width
            cv2.rectangle(
                here, (w // 2, w // 2), (box.width - 1 - w // 2, box.height - 1 - w // 2), look.border, w
            )
    _draw_bars(image, look)
    return image, list(boxes)


def _draw_border(image: Picture, box: Box, look: Look) -> None:
    if look.border_outside:
        w = look.border_width
        cv2.rectangle(
            image, (box.left - w, box.top - w), (box.right + w - 1, box.bottom + w - 1), look.border, -1
        )


def _rounded(width: int, height: int, radius: int) -> Picture:
    mask = np.full((height, width), 255, np.uint8)
    r = min(radius, width // 2, height // 2)
    if r > 0:
        disc = np.zeros((2 * r, 2 * r), np.uint8)
        cv2.circle(disc, (r, r), r, 255, -1)
        mask[:r, :r], mask[:r, -r:] = disc[:r, :r], disc[:r, -r:]
        mask[-r:, :r], mask[-r:, -r:] = disc[-r:, :r], disc[-r:, -r:]
    return mask


def _tile(picture: Picture | None, name: str, box: Box, look: Look) -> Picture:
    if picture is None:
        tile = np.empty((box.height, box.width, 3), np.uint8)
        tile[:] = look.card
        ink = (235, 235, 235) if sum(look.card) < 380 else (40, 40, 40)
        if look.avatars:
            _draw_avatar(tile, name)
        else:
            write_text(tile, name, max(9, box.height // 8), (box.width / 2, box.height / 2), "mm", ink)
    else:
        tile = fill(picture, box.width, box.height)
    if look.labels:
        draw_label(tile, name, look.label, shaded=picture is not None)
    return tile


def draw_label(
    tile: Picture, name: str, kind: Literal["strip", "chip", "text"] = "strip", *, shaded: bool = True
) -> None:
    """White text at the bottom left, on a half-transparent dark strip (Zoom), on a chip that keeps clear of the
    edges (Teams), or on a faint shadow over a picture and on none over a card (Meet)."""
    height = tile.shape[0]
    size = int(np.clip(height * 0.075, 9, 26))
    strip = min(round(size * 1.6), height // 3)
    width = min(round(_font(size).getlength(name) + size), tile.shape[1])
    away = 0 if kind == "strip" else round(size * 0.5)
    if kind == "text" and shaded:
        band = tile[height - 2 * strip :]
        band[:] = (band * np.linspace(1.0, 0.7, len(band))[:, None, None]).astype(np.uint8)
    elif kind != "text":
        corner = tile[height - strip - away : height - away, away : away + width]
        dark = (corner * 0.45 + np.array((20, 20, 20)) * 0.55).astype(np.uint8)
        mask = _rounded(corner.shape[1], corner.shape[0], size // 3 if kind == "chip" else 0)
        corner[:] = np.where(mask[..., None] > 0, dark, corner)
    write_text(tile, name, size, (away + size / 2, height - away - strip / 2), "lm", (245, 245, 245))


def _draw_avatar(tile: Picture, name: str) -> None:
    """The initials on a disc whose colour comes from the name."""
    height, width = tile.shape[:2]
    radius = max(8, min(height, width) // 4)
    hue = sum(map(ord, name)) * 37 % 180
    colour = cv2.cvtColor(np.full((1, 1, 3), (hue, 150, 140), np.uint8), cv2.COLOR_HSV2RGB)[0, 0]
    cv2.circle(tile, (width // 2, height // 2), radius, colour.tolist(), -1, cv2.LINE_AA)
    initials = "".join(word[0] for word in name.split()[:2]).upper()
    write_text(tile, initials, max(9, radius * 4 // 5), (width / 2, height / 2), "mm", (250, 250, 250))


_FONTS: dict[int, ImageFont.FreeTypeFont | ImageFont.ImageFont] = {}


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if size not in _FONTS:
        _FONTS[size] = ImageFont.load_default(size)
    return _FONTS[size]


def write_text(
    image: Picture, text: str, size: int, at: tuple[float, float], anchor: str, ink: Colour
) -> None:
    """Write a line of text in place; `anchor` is Pillow's, such as "lm" for left and middle."""
    canvas = Image.fromarray(image)
    ImageDraw.Draw(canvas).text(at, text, fill=ink, font=_font(size), anchor=anchor)
    image[:] = np.asarray(canvas)


def _draw_bars(image: Picture, look: Look) -> None:
    height, width = image.shape[:2]
    ink = (220, 220, 220) if sum(look.bar) < 380 else (50, 50, 50)
    if look.title_bar:
        image[: look.title_bar] = look.bar
        write_text(
            image[: look.title_bar],
            "Zoom Meeting",
            max(8, look.title_bar // 2),
            (width / 2, look.title_bar / 2),
            "mm",
            ink,
        )
    if look.toolbar:
        bar = image[height - look.toolbar :]
        bar[:] = look.bar
        step = max(60, width // 12)
        for i, x in enumerate(range(step // 2, width - step // 2, step)):
            cv2.circle(bar, (x, look.toolbar // 3), look.toolbar // 6, ink, 2)
            text = ("Mute", "Video", "Chat", "Share", "React", "More")[i % 6]
            write_text(bar, text, max(8, look.toolbar // 5), (x, look.toolbar * 0.75), "mm", ink)
    if look.panel:
        panel = image[look.title_bar : height - look.toolbar, width - look.panel :]
        panel[:] = (250, 250, 250)
        for i, y in enumerate(range(14, panel.shape[0] - 12, 26)):
            write_text(panel, f"{NAMES[i % len(NAMES)]}: question {i}", 12, (10, y), "lm", (60, 60, 60))


def fill(picture: Picture, width: int, height: int) -> Picture:
    """The middle of the picture, scaled to fill width x height."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    w, h = max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale))
    scaled = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (w - width) // 2, (h - height) // 2
    return np.asarray(scaled[top : top + height, left : left + width], np.uint8)


def jpeg(image: Picture, quality: int) -> Picture:
    """The picture after JPEG compression."""
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


@dataclass(frozen=True, slots=True)
class Portrait:
    """A real person before a webcam.

    Attributes:
        picture: uint8 (h, w, 3) RGB at 16:9.
        name: as a meeting window would show it.
        head: where the head lies in the picture, in pixels.
    """

    picture: Picture
    name: str
    head: Box

    def head_in(self, tile: Box) -> Box:
        """The head's place in the window where `compose_gallery` draws the picture into `tile`."""
        height, width = self.picture.shape[:2]
        scale = max(tile.width / width, tile.height / height)
        left = tile.left + round(self.head.left * scale - (width * scale - tile.width) / 2)
        top = tile.top + round(self.head.top * scale - (height * scale - tile.height) / 2)
        return Box(left, top, round(self.head.width * scale), round(self.head.height * scale))


def portraits(folder: Path, count: int, seed: int = 0) -> list[Picture]:
    """The pictures of `portraits_of`, everybody in the shared data eligible."""
    return [portrait.picture for portrait in portraits_of(folder, count, seed)]


def portraits_of(
    folder: Path,
    count: int,
    seed: int = 0,
    split: str | None = None,
    distance: tuple[float, float] = (0.7, 1.2),
) -> list[Portrait]:
    """Real faces of the shared data as webcam pictures: one person, nearer or farther, somewhat off centre, before a
    blurred background.

    Args:
        folder: the shared data, which holds faces/portraits.parquet.
        count: how many; pictures repeat only if more are asked for than there are.
        seed: the same seed gives the same portraits.
        split: train, val or test, which share no person; None for everybody.
        distance: from nearest to farthest; at 1 a head is 0.6 of the picture's height, at 2 it is 0.3.
    """
    import pyarrow.parquet as pq

    data = pq.read_table(
        folder / "faces" / "portraits.parquet",
        columns=["image", "person"],
        filters=None if split is None else [("split", "=", split)],
    )
    rng = np.random.default_rng(seed)
    found = []
    for row in rng.choice(data.num_rows, count, replace=count > data.num_rows):
        raw = np.frombuffer(data["image"][int(row)].as_py(), np.uint8)
        picture = np.asarray(cv2.imdecode(raw, cv2.IMREAD_COLOR), np.uint8)[25:-25, 25:-25, ::-1]
        view = _webcam_view(picture.shape[0], distance, rng)
        head = Box(_HEAD.left - view.left, _HEAD.top - view.top, _HEAD.width, _HEAD.height)
        name = str(data["person"][int(row)].as_py()).replace("_", " ")
        found.append(Portrait(_webcam(picture, view), name, head.clipped(view.width, view.height)))
    return found


_HEAD: Final = Box(50, 43, 100, 120)
"""Where LFW's funneling puts the head in the middle 200 x 200 pixels of a picture."""


def _webcam_view(side: int, distance: tuple[float, float], rng: np.random.Generator) -> Box:
    """A 16:9 view at a random zoom and place, in the pixels of a square picture, which it may leave at the sides and
    the top: shoulders reach its lower edge."""
    height = int(side * rng.uniform(*distance))
    width = height * 16 // 9
    left = side // 2 - width // 2 + int(rng.uniform(-0.15, 0.15) * width)
    return Box(left, side - height, width, height)


def _webcam(picture: Picture, view: Box) -> Picture:
    """The square picture in the view, its surroundings blurred and mirrored."""
    side = picture.shape[0]
    pad = max(side // 2, -view.top)
    wing = max(side, -view.left, view.right - side)
    room = cv2.copyMakeBorder(picture, pad, pad, wing, wing, cv2.BORDER_REFLECT_101)
    small = cv2.resize(room, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    room = cv2.resize(cv2.GaussianBlur(small, (0, 0), 2.5), (room.shape[1], room.shape[0]))
    mask = np.zeros((side, side), np.float32)
    mask[18:, 18:-18] = 1.0
    mask = cv2.GaussianBlur(mask, (0, 0), 7, borderType=cv2.BORDER_REPLICATE)[..., None]
    middle = room[pad : pad + side, wing : wing + side]
    middle[:] = (mask * picture + (1 - mask) * middle).astype(np.uint8)
    left, top = wing + view.left, pad + view.top
    return np.ascontiguousarray(room[top : top + view.height, left : left + view.width])


def drawn_pictures(count: int, seed: int = 0) -> list[Picture]:
    """Pictures drawn without data, uint8 (180, 320, 3) RGB: a room of rectangles, an ellipse for a head, noise."""
    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        wall = rng.integers(25, 235, 3)
        slope = np.linspace(-1, 1, 320) * rng.uniform(-30, 30)
        room = np.clip(wall + slope[None, :, None] + np.zeros((180, 1, 1)), 0, 255).astype(np.uint8)
        for _ in range(int(rng.integers(0, 5))):
            x, y = int(rng.integers(-40, 300)), int(rng.integers(-40, 150))
            w, h = int(rng.integers(20, 160)), int(rng.integers(20, 120))
            cv2.rectangle(room, (x, y), (x + w, y + h), [int(c) for c in rng.integers(0, 256, 3)], -1)
        x, y, r = int(rng.integers(110, 210)), int(rng.integers(70, 110)), int(rng.integers(28, 55))
        shirt, skin = ([int(c) for c in rng.integers(20, 230, 3)] for _ in range(2))
        cv2.ellipse(room, (x, y + 3 * r), (2 * r, int(1.8 * r)), 0, 0, 360, shirt, -1)
        cv2.ellipse(room, (x, y), (int(0.75 * r), r), 0, 0, 360, skin, -1)
        noise = rng.normal(0, rng.uniform(1, 6), room.shape)
        pictures.append(np.clip(room + noise, 0, 255).astype(np.uint8))
    return pictures


def dark_room(picture: Picture, level: float = 0.12) -> Picture:
    """The picture as a camera without light gives it."""
    return (picture * level).astype(np.uint8)


def on_colour(picture: Picture, colour: Colour) -> Picture:
    """The person cut out as an ellipse with shoulders on one flat colour (a virtual background)."""
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 2, height // 2), (height // 3, int(height * 0.42)), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, (width // 2, height), (int(height * 0.6), height // 4), 0, 0, 360, 255, -1)
    return np.where(mask[..., None] > 0, picture, np.array(colour, np.uint8))


def pillarboxed(picture: Picture, aspect: float, bars: Colour) -> Picture:
    """The middle of the picture at `aspect` (4/3, 3/4, 9/16) between side bars, 16:9 in all."""
    height = picture.shape[0]
    inner = fill(picture, int(height * aspect), height)
    out = np.empty((height, height * 16 // 9, 3), np.uint8)
    out[:] = bars
    left = (out.shape[1] - inner.shape[1]) // 2
    out[:, left : left + inner.shape[1]] = inner
    return out
