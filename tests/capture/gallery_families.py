"""Families of meeting windows: each draws one gallery at random, varied in everything that its name leaves open."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import cv2
import numpy as np

from engagement.records import Box
from tests.capture.gallery_layouts import (
    column_of,
    even_counts,
    filling_rows,
    largest_within,
    row_of,
    rows_of_equal_tiles,
    rows_that_fit,
    unequal_columns,
    videos_of_own_width,
)
from tests.capture.gallery_overlays import (
    badges,
    browser_chrome,
    controls,
    round_buttons,
    toolbar_over,
    watermark,
)
from tests.capture.screens_without_gallery import not_a_gallery
from tests.capture.synthetic_gallery import (
    Colour,
    Gallery,
    Look,
    Picture,
    compose_gallery,
    dark_room,
    fill,
    jpeg,
    on_colour,
    pillarboxed,
)

Random = np.random.Generator
Value = TypeVar("Value")
Family = Callable[[Random, Sequence[Picture]], Gallery]
SIZES: Final = (
    (640, 400), (800, 600), (1024, 640), (1280, 720), (1280, 800), (1366, 768), (1440, 900), (1512, 950),
    (1600, 1000), (1680, 1050), (1920, 1080), (1920, 1017), (2560, 1440), (2560, 1600), (3440, 1440), (3840, 2160),
)  # fmt: skip
WINDOW: Final = (1180, 740)
"""Of a window on a desktop of 1920 x 1200."""
DARK: Final[tuple[Colour, ...]] = ((0, 0, 0), (13, 13, 13), (26, 26, 26), (32, 33, 36))
LIGHT: Final[tuple[Colour, ...]] = ((255, 255, 255), (245, 245, 245), (237, 237, 240))
BORDERS: Final[tuple[Colour, ...]] = ((34, 214, 88), (226, 226, 60), (80, 140, 255))
COUNTS: Final = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 17, 20, 23, 25, 27, 30, 36, 41, 49)


def _any_of(rng: Random, values: Sequence[Value]) -> Value:
    return values[int(rng.integers(len(values)))]


def _pick(rng: Random, pictures: Sequence[Picture], count: int) -> list[Picture | None]:
    return [_any_of(rng, pictures) for _ in range(count)]


def _with_cards(rng: Random, pictures: Sequence[Picture | None], share: float) -> list[Picture | None]:
    return [None if rng.random() < share else picture for picture in pictures]


def _changed(
    rng: Random,
    pictures: Sequence[Picture | None],
    share: float,
    change: Callable[[Picture], Picture],
) -> list[Picture | None]:
    return [p if p is None or rng.random() >= share else change(p) for p in pictures]


def _card(rng: Random, ground: Colour) -> Colour:
    step = int(rng.integers(10, 26)) * (1 if sum(ground) < 380 else -1)
    return ground[0] + step, ground[1] + step, ground[2] + step


def _size(rng: Random, count: int) -> tuple[int, int]:
    """A window in which this many tiles are at least 72 pixels wide."""
    return _any_of(rng, [size for size in SIZES if (size[0] * size[1] * 0.6 / count) ** 0.5 > 72])


def look_of(rng: Random, count: int, size: tuple[int, int] | None = None) -> Look:
    """A dark Zoom window; twice the lengths at high resolution, as HiDPI screens have it."""
    size = size or _size(rng, count)
    scale = max(1.0, size[0] / 1920) if rng.random() < 0.7 else 1.0
    bars = rng.random() < 0.7
    ground = _any_of(rng, DARK)
    return Look(
        size=size,
        gap=round(int(rng.integers(2, 11)) * scale),
        margin=int(rng.integers(0, 24)),
        background=ground,
        card=_card(rng, ground if rng.random() < 0.6 else _any_of(rng, DARK[2:])),
        radius=int(rng.choice([0, 0, 6, 10]) * scale),
        title_bar=int(28 * scale) if bars else 0,
        toolbar=int(rng.integers(40, 64) * scale) if bars else 0,
        speaker=int(rng.integers(count)) if rng.random() < 0.7 else None,
        border=_any_of(rng, BORDERS),
        border_width=int(rng.integers(2, 5)),
        border_outside=bool(rng.random() < 0.6),
    )


def _count(rng: Random) -> int:
    return int(rng.choice(COUNTS))


def _zoom(
    rng: Random, pictures: Sequence[Picture], count: int | None = None, cards: float = 0.1
) -> tuple[list[Picture | None], Look]:
    count = count or _count(rng)
    chosen = _pick(rng, pictures, count)
    if rng.random() < 0.5:
        chosen = _with_cards(rng, chosen, cards)
    return chosen, look_of(rng, count)


def plain(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures)
    return compose_gallery(chosen, look=look)


def light(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures, cards=0.3)
    ground = _any_of(rng, LIGHT)
    return compose_gallery(
        chosen, look=replace(look, background=ground, card=_card(rng, ground), bar=(250, 250, 250))
    )


def rounded(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """The present look of Zoom."""
    chosen, look = _zoom(rng, pictures, cards=0.3)
    return compose_gallery(
        chosen, look=replace(look, radius=max(6, look.size[0] // int(rng.integers(90, 220))))
    )


def no_gap(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures)
    return compose_gallery(chosen, look=replace(look, gap=int(rng.integers(0, 2)), radius=0))


def full_screen(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures)
    return compose_gallery(
        chosen, look=replace(look, title_bar=0, toolbar=0, margin=int(rng.choice([0, 0, 2, 8, 40])))
    )


def few(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures, count=int(rng.integers(2, 5)))
    return compose_gallery(chosen, look=look)


def many(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures, count=int(rng.integers(30, 50)))
    return compose_gallery(chosen, look=look)


def small_window(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    count = int(rng.choice([2, 3, 4, 5, 6, 7, 9, 12, 16, 20]))
    return compose_gallery(_pick(rng, pictures, count), look=look_of(rng, count, _any_of(rng, SIZES[:2])))


def ultra_high_definition(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    count = _count(rng)
    return compose_gallery(_pick(rng, pictures, count), look=look_of(rng, count, (3840, 2160)))


def four_to_three(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures)
    return compose_gallery(chosen, look=replace(look, aspect=4 / 3))


def cameras_off(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    count = _count(rng)
    look = replace(look_of(rng, count), avatars=bool(rng.random() < 0.3))
    return compose_gallery(_with_cards(rng, _pick(rng, pictures, count), rng.uniform(0.2, 0.8)), look=look)


def dark_rooms(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures)
    return compose_gallery(
        _changed(rng, chosen, 0.35, lambda p: dark_room(p, float(rng.uniform(0.03, 0.2)))), look=look
    )


def gap_coloured(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """Up to a third of the tiles have the colour of the gap behind the person."""
    chosen, look = _zoom(rng, pictures)
    ground = LIGHT[0] if rng.random() < 0.5 else look.background
    return compose_gallery(
        _changed(rng, chosen, 0.33, lambda p: on_colour(p, ground)),
        look=replace(look, background=ground, card=_card(rng, ground)),
    )


def gap_coloured_column(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """A whole column, or row, has the colour of the gap behind the people."""
    columns = int(rng.integers(3, 7))
    count = columns * int(rng.integers(2, 5))
    chosen, look = _pick(rng, pictures, count), look_of(rng, count)
    ground = LIGHT[0] if rng.random() < 0.5 else look.background
    line, upright = int(rng.integers(columns)), rng.random() < 0.6
    lost = {
        i
        for i in range(count)
        if (i % columns == line if upright else i // columns == line % (count // columns))
    }
    return compose_gallery(
        [on_colour(p, ground) if i in lost and p is not None else p for i, p in enumerate(chosen)],
        look=replace(look, background=ground, columns=columns),
    )


def white_backgrounds(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """White virtual backgrounds in a window of any colour."""
    chosen, look = _zoom(rng, pictures)
    ground = _any_of(rng, DARK + LIGHT)
    return compose_gallery(
        _changed(rng, chosen, 0.5, lambda p: on_colour(p, (255, 255, 255))),
        look=replace(look, background=ground, card=_card(rng, ground)),
    )


def pillars(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """Some videos are 4:3 or portrait between bars."""
    chosen, look = _zoom(rng, pictures)
    bars = look.background if rng.random() < 0.3 else look.card
    share = float(rng.choice([0.3, 0.3, 1.0]))
    return compose_gallery(
        _changed(
            rng, chosen, share, lambda p: pillarboxed(p, float(rng.choice([4 / 3, 3 / 4, 9 / 16])), bars)
        ),
        look=look,
    )


def bars_in_gap_colour(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """Half of the videos, or all, are 4:3 between bars of the window's colour, in which their names begin."""
    chosen, look = _zoom(rng, pictures, cards=0.0)
    share = float(rng.choice([0.5, 0.5, 1.0]))
    return compose_gallery(
        _changed(rng, chosen, share, lambda p: pillarboxed(p, 4 / 3, look.background)),
        look=replace(look, radius=0, speaker=None),
    )


def dark_class(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """Everybody sits in the dark."""
    chosen, look = _zoom(rng, pictures, count=int(rng.integers(4, 17)))
    chosen = _changed(rng, chosen, 1.0, lambda p: dark_room(p, float(rng.uniform(0.06, 0.2))))
    return compose_gallery(chosen, look=replace(look, background=_any_of(rng, DARK[2:])))


def on_a_desktop(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """A window on a desktop with a picture, between a menu and a dock."""
    count = int(rng.integers(4, 17))
    look = look_of(rng, count, WINDOW)
    return _put_on_desktop(rng, pictures, compose_gallery(_pick(rng, pictures, count), look=look))


def _put_on_desktop(rng: Random, pictures: Sequence[Picture], window: Gallery) -> Gallery:
    image = cv2.GaussianBlur(fill(_any_of(rng, pictures), 1920, 1200), (0, 0), 2.0)
    image[:24] = (230, 230, 235)
    image[1120:1192, 500:1420] = (200, 205, 215)
    for x in range(515, 1400, 64):
        image[1128:1180, x : x + 50] = rng.integers(0, 256, 3)
    x, y = int(rng.integers(40, 700)), int(rng.integers(40, 360))
    width, height = WINDOW
    image[y : y + height, x : x + width] = window.image
    boxes = tuple(replace(box, left=box.left + x, top=box.top + y) for box in window.boxes)
    return replace(window, image=np.asarray(image, np.uint8), boxes=boxes)


def small_picture(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """A picture of a gallery as articles show it: small, and compressed."""
    chosen = _pick(rng, pictures, int(rng.choice([9, 12, 16, 20, 25])))
    look = Look(
        size=(800, 450), gap=2, margin=0, rescale=float(rng.uniform(1.6, 2.6)), jpeg=int(rng.integers(45, 85))
    )
    return compose_gallery(chosen, look=look)


def compressed(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures)
    return compose_gallery(
        chosen, look=replace(look, jpeg=int(rng.integers(40, 90)), rescale=float(rng.uniform(1.0, 1.6)))
    )


def speaker(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures)
    return compose_gallery(
        chosen,
        look=replace(look, speaker=int(rng.integers(len(chosen))), border_width=int(rng.integers(2, 7))),
    )


def badged(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures)
    gallery = compose_gallery(chosen, look=look)
    badges(gallery.image, gallery.boxes, rng, share=float(rng.uniform(0.3, 1.0)))
    return gallery


def controlled(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures)
    gallery = compose_gallery(chosen, look=look)
    controls(gallery.image, gallery.boxes, rng)
    return gallery


def watermarked(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures)
    gallery = compose_gallery(chosen, look=look)
    watermark(gallery.image, gallery.boxes, rng)
    return gallery


def panel(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """A chat panel takes a part of the window."""
    count = int(rng.choice([2, 4, 6, 9, 12, 16, 25]))
    look = look_of(rng, count, _any_of(rng, [(1920, 1080), (1440, 900), (2560, 1440)]))
    wide = int(look.size[0] * rng.uniform(0.14, 0.26))
    return compose_gallery(_pick(rng, pictures, count), look=replace(look, panel=wide))


def no_labels_beside_panel(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """Names are switched off, and a chat panel, light or dark, takes a part of the window."""
    count = int(rng.integers(2, 26))
    look = look_of(
        rng, count, _any_of(rng, [(1280, 720), (1366, 768), (1920, 1080), (1440, 900), (2560, 1440)])
    )
    wide = int(look.size[0] * rng.uniform(0.14, 0.26))
    dark = rng.random() < 0.5
    gallery = compose_gallery(_pick(rng, pictures, count), look=replace(look, panel=wide, labels=False))
    if dark:
        chat = gallery.image[look.title_bar : look.size[1] - look.toolbar, look.size[0] - wide :]
        np.subtract(255, chat, out=chat)
        np.maximum(chat, 36, out=chat)
    return gallery


def overlaid(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """The toolbar lies over the last row, opaque or half transparent."""
    chosen, look = _zoom(rng, pictures)
    gallery = compose_gallery(chosen, look=replace(look, toolbar=0))
    toolbar_over(
        gallery.image,
        max(24, look.size[1] // int(rng.integers(14, 24))),
        rng,
        float(rng.choice([0.6, 0.8, 1.0])),
    )
    return gallery


def no_labels(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    chosen, look = _zoom(rng, pictures)
    return compose_gallery(chosen, look=replace(look, labels=False))


def several_people(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """Two or three people side by side before one camera, or pictures of half the room each."""
    chosen, look = _zoom(rng, pictures)

    def together(first: Picture) -> Picture:
        others = [first, *(_any_of(rng, pictures) for _ in range(int(rng.integers(1, 3))))]
        high = first.shape[0]
        return np.concatenate([fill(p, first.shape[1] // len(others), high) for p in others], axis=1)

    return compose_gallery(_changed(rng, chosen, 0.4, together), look=look)


def cropped(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """The picture ends inside the first or the last row. Of a row that is cut, what is seen of a tile counts from
    half of its height on; less may be found or not."""
    columns = int(rng.integers(2, 7))
    count = columns * int(rng.integers(3, 6))
    look = replace(look_of(rng, count), columns=columns, toolbar=0, title_bar=0)
    whole = compose_gallery(_with_cards(rng, _pick(rng, pictures, count), 0.1), look=look)
    left_at, high = float(rng.uniform(0.1, 0.9)), whole.boxes[0].height
    if rng.random() < 0.5:
        top, bottom = whole.boxes[0].top + round(high * (1 - left_at)), look.size[1]
    else:
        top, bottom = 0, whole.boxes[-1].top + round(high * left_at)
    seen = [
        Box(b.left, max(b.top, top) - top, b.width, min(b.bottom, bottom) - max(b.top, top))
        for b in whole.boxes
    ]
    sure = [box.height >= 0.5 * high for box in seen]
    return Gallery(
        np.ascontiguousarray(whole.image[top:bottom]),
        tuple(box for box, s in zip(seen, sure, strict=True) if s),
        tuple(name for name, s in zip(whole.names, sure, strict=True) if s),
        tuple(on for on, s in zip(whole.camera_on, sure, strict=True) if s),
        tuple(box for box, s in zip(seen, sure, strict=True) if not s),
    )


def cropped_column(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """The picture ends inside the first or the last column; of it counts what is more than six tenths of a tile."""
    columns = int(rng.integers(3, 7))
    count = columns * int(rng.integers(2, 5))
    look = replace(look_of(rng, count), columns=columns, title_bar=0, toolbar=0)
    whole = compose_gallery(_pick(rng, pictures, count), look=look)
    cut = round(whole.boxes[0].width * float(rng.uniform(0.05, 0.4)))
    left, right = whole.boxes[0].left, whole.boxes[columns - 1].right
    begin, end = (left + cut, look.size[0]) if rng.random() < 0.5 else (0, right - cut)
    boxes = tuple(
        Box(max(b.left, begin) - begin, b.top, min(b.right, end) - max(b.left, begin), b.height)
        for b in whole.boxes
    )
    return replace(whole, image=np.ascontiguousarray(whole.image[:, begin:end]), boxes=boxes)


def unequal(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """Columns and rows that differ a little, without gaps."""
    rows, columns = int(rng.integers(2, 6)), int(rng.integers(2, 6))
    look = replace(look_of(rng, rows * columns), label=_any_of(rng, ("strip", "text")), radius=0)
    bottom = look.size[1] - look.toolbar
    area = Box(0, look.title_bar, look.size[0], bottom - look.title_bar)
    boxes = unequal_columns(rows, columns, area, rng)
    return compose_gallery(
        _pick(rng, pictures, rows * columns), look=replace(look, speaker=None), boxes=boxes
    )


def own_widths(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """Wide, square and portrait videos side by side, with hardly a gap."""
    count = int(rng.integers(4, 21))
    look = replace(look_of(rng, count), radius=0, speaker=None)
    boxes = videos_of_own_width(count, _area(look), rng, gap=int(rng.choice([0, 0, 2])))
    return compose_gallery(_pick(rng, pictures, count), look=look, boxes=boxes)


def _area(look: Look) -> Box:
    width, height = look.size
    return Box(
        look.margin,
        look.title_bar + look.margin,
        width - 2 * look.margin,
        height - look.title_bar - look.toolbar - 2 * look.margin,
    )


def _teams(rng: Random, pictures: Sequence[Picture], *, stretched: bool) -> Gallery:
    count = int(rng.choice([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 16, 19, 23, 25, 31, 36, 49]))
    size = _size(rng, count)
    scale = max(1.0, size[0] / 1920)
    ground: Colour = _any_of(rng, [(31, 31, 31), (41, 40, 40), (20, 20, 20), (245, 245, 245)])
    look = Look(
        size=size,
        background=ground,
        card=_card(rng, ground),
        gap=round(int(rng.integers(2, 9)) * scale),
        margin=int(rng.integers(0, 12)),
        radius=round(int(rng.choice([0, 4, 8])) * scale),
        title_bar=round(int(rng.integers(40, 64)) * scale),
        bar=(43, 43, 43) if sum(ground) < 380 else (235, 235, 235),
        label="chip",
        avatars=True,
        speaker=int(rng.integers(count)) if rng.random() < 0.7 else None,
        border=(127, 133, 245),
        border_width=3,
        border_outside=bool(rng.random() < 0.5),
    )
    counts = even_counts(count, rows_that_fit(count, _area(look)))
    if rng.random() < 0.4:
        counts = counts[::-1]
    if not stretched:
        columns = max(counts[0], counts[-1])
        counts = [columns] * (count // columns) + ([count % columns] if count % columns else [])
    boxes = filling_rows(counts, _area(look), look.gap, stretched=stretched)
    chosen = _with_cards(rng, _pick(rng, pictures, count), float(rng.choice([0.0, 0.3])))
    return compose_gallery(chosen, look=look, boxes=boxes)


def teams_centred(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    return _teams(rng, pictures, stretched=False)


def teams_stretched(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    return _teams(rng, pictures, stretched=True)


def _meet(
    rng: Random, pictures: Sequence[Picture], *, uneven: bool, size: tuple[int, int] | None = None
) -> Gallery:
    count = int(rng.integers(3, 20) if uneven else rng.choice([2, 4, 6, 9, 12, 16, 20, 25, 30, 36, 49]))
    size = size or _any_of(rng, [size for size in SIZES if (size[0] * size[1] * 0.4 / count) ** 0.5 > 72])
    scale = max(1.0, size[0] / 1920)
    chrome = round(int(rng.choice([0, 72, 84])) * scale)
    ground: Colour = _any_of(rng, [(32, 33, 36), (32, 33, 36), (19, 19, 20), (255, 255, 255)])
    tint = tuple(int(c) for c in np.array([50, 55, 62]) + rng.integers(-12, 13, 3))
    look = Look(
        size=size,
        background=ground,
        card=(tint[0], tint[1], tint[2]) if sum(ground) < 380 else (232, 234, 237),
        gap=round(int(rng.integers(8, 17)) * scale),
        margin=round(16 * scale),
        radius=round(int(rng.choice([8, 12, 16])) * scale),
        title_bar=chrome,
        label="text",
        avatars=True,
        speaker=int(rng.integers(count)) if rng.random() < 0.7 else None,
        border=(138, 180, 248),
        border_width=round(3 * scale),
        border_outside=bool(rng.random() < 0.3),
    )
    foot = round(80 * min(1.0, size[1] / 800) * scale)
    area = replace(_area(look), height=_area(look).height - foot)
    rows = rows_that_fit(count, area)
    counts = even_counts(count, rows)
    if uneven:
        counts = [int(c) for c in rng.permutation(counts)]
        if rows > 1 and len(set(counts)) == 1 and counts[0] > 1:
            counts[-1] -= 1
    elif count % rows:
        columns = counts[0]
        counts = [columns] * (count // columns) + ([count % columns] if count % columns else [])
    boxes = rows_of_equal_tiles(counts, area, look.gap)
    chosen = _with_cards(rng, _pick(rng, pictures, sum(counts)), float(rng.choice([0.0, 0.3])))
    if look.speaker is not None and look.speaker >= len(boxes):
        look = replace(look, speaker=None)
    gallery = compose_gallery(chosen, look=replace(look, title_bar=0), boxes=boxes)
    if chrome:
        browser_chrome(gallery.image, chrome, dark=bool(rng.random() < 0.5))
    round_buttons(gallery.image, foot)
    if rng.random() < 0.3:
        badges(gallery.image, gallery.boxes, rng, share=0.3)
    return gallery


def meet(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    return _meet(rng, pictures, uneven=False)


def meet_uneven(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    return _meet(rng, pictures, uneven=True)


def meet_on_a_desktop(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    return _put_on_desktop(rng, pictures, _meet(rng, pictures, uneven=bool(rng.random() < 0.3), size=WINDOW))


def _beside(rng: Random, count: int, look: Look, *, upright: bool) -> tuple[list[Box], Box]:
    """Boxes of thumbnails at the right or the top of a window, and what is left for one large picture."""
    area = _area(look)
    if upright:
        side = int(area.width * rng.uniform(0.13, 0.22))
        side = min(side, int((area.height - (count - 1) * look.gap) / count * 16 / 9))
        strip = Box(area.right - side, area.top, side, area.height)
        rest = Box(area.left, area.top, area.width - side - look.gap, area.height)
        boxes = column_of(count, strip, look.gap)
        if rng.random() < 0.4:
            up = boxes[0].top - area.top
            boxes = [replace(box, top=box.top - up) for box in boxes]
        return boxes, rest
    side = int(area.height * rng.uniform(0.14, 0.22))
    side = min(side, int((area.width - (count - 1) * look.gap) / count * 9 / 16))
    strip = Box(area.left, area.top, area.width, side)
    rest = Box(area.left, area.top + side + look.gap, area.width, area.height - side - look.gap)
    return row_of(count, strip, look.gap), rest


def _strip_look(rng: Random, count: int) -> Look:
    sizes = [size for size in SIZES if size[0] >= 1280]
    look = look_of(rng, count, _any_of(rng, sizes))
    return replace(look, gap=max(2, look.gap // 2 + 1), margin=min(look.margin, 12), speaker=None)


def _spotlight(rng: Random, pictures: Sequence[Picture], *, upright: bool) -> Gallery:
    """One large video, which is a tile too, and a strip of the others."""
    count = int(rng.integers(3, 7))
    look = _strip_look(rng, count)
    boxes, rest = _beside(rng, count, look, upright=upright)
    large = largest_within(rest) if rng.random() < 0.6 else rest
    chosen = [*_with_cards(rng, _pick(rng, pictures, count), 0.15), _any_of(rng, pictures)]
    return compose_gallery(chosen, look=look, boxes=[*boxes, large])


def spotlight_side(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    return _spotlight(rng, pictures, upright=True)


def spotlight_top(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    return _spotlight(rng, pictures, upright=False)


def _shared(rng: Random, pictures: Sequence[Picture], kinds: Sequence[str]) -> Gallery:
    """Thumbnails at the right or the top of a shared screen, which is no tile."""
    count = int(rng.integers(3, 7))
    look = _strip_look(rng, count)
    boxes, rest = _beside(rng, count, look, upright=bool(rng.random() < 0.6))
    gallery = compose_gallery(_with_cards(rng, _pick(rng, pictures, count), 0.15), look=look, boxes=boxes)
    if rng.random() < 0.5:
        rest = largest_within(rest, float(rng.choice([16 / 9, 4 / 3, 16 / 10])))
    page = not_a_gallery(_any_of(rng, kinds), (rest.width, rest.height), pictures, int(rng.integers(10000)))
    gallery.image[rest.top : rest.bottom, rest.left : rest.right] = page
    return gallery


def strip_beside_page(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    return _shared(rng, pictures, ("document", "spreadsheet", "desktop", "slide"))


def two_columns_beside_page(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """A shared page at the left, and the gallery in two columns at the right."""
    rows = int(rng.integers(3, 6))
    look = replace(_strip_look(rng, 2 * rows), size=(1920, 1080), radius=0)
    wide = int(rng.integers(220, 300))
    high, area = wide * 9 // 16, _area(look)
    left = area.right - 2 * wide - look.gap
    top = area.top if rng.random() < 0.5 else area.top + (area.height - rows * (high + look.gap)) // 2
    boxes = [
        Box(left + column * (wide + look.gap), top + row * (high + look.gap), wide, high)
        for row in range(rows)
        for column in range(2)
    ]
    gallery = compose_gallery(_with_cards(rng, _pick(rng, pictures, 2 * rows), 0.15), look=look, boxes=boxes)
    page = largest_within(Box(area.left, area.top, left - area.left - 8, area.height))
    kind = _any_of(rng, ("document", "spreadsheet", "slide", "web page"))
    gallery.image[page.top : page.bottom, page.left : page.right] = not_a_gallery(
        kind, (page.width, page.height), pictures, int(rng.integers(10000))
    )
    return gallery


def strip_beside_rectangles(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """The shared slide is full of equal rectangles."""
    return _shared(rng, pictures, ("slide of rectangles", "photo wall", "file manager", "web page"))


def mixed(rng: Random, pictures: Sequence[Picture]) -> Gallery:
    """Several of the above in one window, after a video encoder or a screenshot's JPEG."""
    chosen, look = _zoom(rng, pictures, cards=0.3)
    ground = _any_of(rng, DARK + LIGHT)
    look = replace(
        look, background=ground, card=_card(rng, ground), label=_any_of(rng, ("strip", "chip", "text")),
        avatars=bool(rng.random() < 0.5), aspect=float(rng.choice([16 / 9, 16 / 9, 4 / 3])),
    )  # fmt: skip
    changes: list[Callable[[Picture], Picture]] = [
        lambda p: dark_room(p, float(rng.uniform(0.05, 0.3))),
        lambda p: on_colour(p, _any_of(rng, [ground, (255, 255, 255)])),
        lambda p: pillarboxed(p, float(rng.choice([4 / 3, 3 / 4])), look.background),
        lambda p: np.asarray(cv2.GaussianBlur(p, (0, 0), 4.0), np.uint8),
    ]
    for change in changes:
        chosen = _changed(rng, chosen, 0.15, change)
    gallery = compose_gallery(chosen, look=look)
    for draw in (badges, controls, watermark):
        if rng.random() < 0.3:
            draw(gallery.image, gallery.boxes, rng)
    if rng.random() < 0.4:
        return replace(gallery, image=jpeg(gallery.image, int(rng.integers(50, 95))))
    return gallery


FAMILIES: Final[dict[str, Family]] = {
    "zoom: plain dark": plain,
    "zoom: light": light,
    "zoom: rounded": rounded,
    "zoom: gap 0-1": no_gap,
    "zoom: full screen": full_screen,
    "zoom: 2-4 tiles": few,
    "zoom: 30-49 tiles": many,
    "zoom: small window": small_window,
    "zoom: 3840x2160": ultra_high_definition,
    "zoom: 4:3": four_to_three,
    "zoom: cameras off": cameras_off,
    "zoom: dark rooms": dark_rooms,
    "zoom: gap colour behind": gap_coloured,
    "zoom: line in gap colour": gap_coloured_column,
    "zoom: white backgrounds": white_backgrounds,
    "zoom: pillarboxed": pillars,
    "zoom: bars in gap colour": bars_in_gap_colour,
    "zoom: dark class": dark_class,
    "zoom: on a desktop": on_a_desktop,
    "zoom: small picture": small_picture,
    "zoom: compressed, scaled": compressed,
    "zoom: speaker border": speaker,
    "zoom: badges": badged,
    "zoom: controls over tiles": controlled,
    "zoom: watermark": watermarked,
    "zoom: chat panel": panel,
    "zoom: toolbar over tiles": overlaid,
    "zoom: no labels": no_labels,
    "zoom: no labels, chat": no_labels_beside_panel,
    "zoom: several people": several_people,
    "zoom: cropped row": cropped,
    "zoom: cropped column": cropped_column,
    "spotlight, strip at side": spotlight_side,
    "spotlight, strip on top": spotlight_top,
    "strip beside page": strip_beside_page,
    "two columns beside page": two_columns_beside_page,
    "strip beside rectangles": strip_beside_rectangles,
    "teams: last row centred": teams_centred,
    "teams: stretched": teams_stretched,
    "meet: even rows": meet,
    "meet: uneven rows": meet_uneven,
    "meet: on a desktop": meet_on_a_desktop,
    "meet 2020: no gaps": unequal,
    "videos of own width": own_widths,
    "mixed": mixed,
}
