"""Screens on which no gallery is seen, and no grid may be found."""

from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np

from tests.capture.synthetic_gallery import Look, Picture, compose_gallery, fill, write_text


def not_a_gallery(kind: str, size: tuple[int, int], pictures: Sequence[Picture], seed: int = 0) -> Picture:
    """A screen without a gallery, uint8 (H, W, 3) RGB; `kind` is one of `SCREENS`."""
    return SCREENS[kind](size, pictures, np.random.default_rng(seed))


def _flat(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    image = np.empty((size[1], size[0], 3), np.uint8)
    image[:] = rng.integers(0, 256, 3)
    return image


def _webcam_alone(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    return fill(pictures[int(rng.integers(len(pictures)))], *size)


def _speaker_view(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    return compose_gallery(
        [pictures[int(rng.integers(len(pictures)))]], look=Look(size=size, toolbar=60, margin=40)
    ).image


def _text(
    image: Picture, rng: np.random.Generator, left: int, top: int, right: int, bottom: int, size: int
) -> None:
    ink = (40, 40, 40) if int(image[top, left].sum()) > 380 else (215, 215, 215)
    for y in range(top + size, bottom - size, round(size * 1.7)):
        words = " ".join(
            "".join(rng.choice(list("abcdefghilmnoprstu"), rng.integers(2, 9))) for _ in range(30)
        )
        line = image[y - size : y + size, left:right]
        write_text(line, words, size, (4, size), "lm", ink)


def _document(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    image = _flat(size, pictures, rng)
    image[:] = (255, 255, 255) if rng.random() < 0.6 else (30, 30, 34)
    _text(image, rng, size[0] // 8, 20, size[0] * 7 // 8, size[1] - 20, int(rng.integers(9, 22)))
    return image


def _desktop(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    width, height = size
    image = _webcam_alone(size, pictures, rng) if rng.random() < 0.5 else _flat(size, pictures, rng)
    for _ in range(int(rng.integers(2, 6))):
        w, h = int(width * rng.uniform(0.25, 0.6)), int(height * rng.uniform(0.25, 0.7))
        x, y = int(rng.uniform(0, width - w)), int(rng.uniform(0, height - h))
        image[y : y + h, x : x + w] = (252, 252, 252) if rng.random() < 0.6 else (38, 40, 46)
        image[y : y + 28, x : x + w] = (222, 222, 226)
        if rng.random() < 0.3:
            image[y + 28 : y + h, x : x + w] = fill(pictures[int(rng.integers(len(pictures)))], w, h - 28)
        else:
            _text(image, rng, x + 8, y + 34, x + w - 8, y + h - 6, 13)
    image[height - 40 :] = (20, 24, 34)
    for i in range(9):
        x = 10 + 50 * i
        image[height - 34 : height - 6, x : x + 28] = rng.integers(30, 256, 3)
    return image


def _slide(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """A slide with a few boxes of text in rows, as presentations have them."""
    width, height = size
    image = _flat(size, pictures, rng)
    image[:] = (255, 255, 255) if rng.random() < 0.7 else (24, 32, 60)
    _text(image, rng, width // 20, height // 20, width * 3 // 4, height // 20 + 90, 34)
    columns, rows = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    gap = int(rng.integers(6, 40))
    w = (width * 9 // 10 - gap * (columns - 1)) // columns
    h = (height * 7 // 10 - gap * (rows - 1)) // rows
    colour = rng.integers(0, 256, 3)
    for row in range(rows):
        for column in range(columns):
            x, y = width // 20 + column * (w + gap), height // 4 + row * (h + gap)
            image[y : y + h, x : x + w] = colour if rng.random() < 0.7 else rng.integers(0, 256, 3)
            if w > 60 and h > 60:
                _text(image, rng, x + 10, y + 10, x + w - 10, min(y + h - 10, y + 120), 16)
    return image


def _spreadsheet(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    width, height = size
    image = _flat(size, pictures, rng)
    image[:] = 255
    row, column = int(rng.integers(18, 30)), int(rng.integers(60, 130))
    for y in range(120, height, row):
        image[y] = 205
        for x in range(40, width, column):
            if rng.random() < 0.4:
                cell = image[y + 1 : y + row, x : x + column]
                if cell.shape[0] == row - 1:
                    write_text(cell, f"{rng.random() * 1000:.2f}", 11, (4, row / 2), "lm", (30, 30, 30))
    for x in range(40, width, column):
        image[120:, x] = 205
    image[:90] = (240, 243, 240)
    return image


def _noise(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    return rng.integers(0, 256, (size[1], size[0], 3), np.uint8)


def _slide_of_rectangles(
    size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator
) -> Picture:
    """Equal boxes in regular rows, framed or filled, with a word or a drawing in each."""
    width, height = size
    image = _flat(size, pictures, rng)
    image[:] = (255, 255, 255) if rng.random() < 0.7 else (24, 32, 60)
    columns, rows = int(rng.integers(3, 7)), int(rng.integers(2, 6))
    gap = int(rng.integers(4, 24))
    top = height // 6 if rng.random() < 0.6 else height // 20
    w = (width * 9 // 10 - gap * (columns - 1)) // columns
    h = (height - top - height // 20 - gap * (rows - 1)) // rows
    fills = rng.integers(60, 256, (3, 3))
    framed = rng.random() < 0.4
    for i in range(rows * columns):
        x, y = width // 20 + i % columns * (w + gap), top + i // columns * (h + gap)
        cell = image[y : y + h, x : x + w]
        if framed:
            cv2.rectangle(image, (x, y), (x + w - 1, y + h - 1), (90, 90, 90), 2)
        else:
            cell[:] = fills[int(rng.integers(3))]
        if rng.random() < 0.7:
            ink = (30, 30, 30) if int(cell[h // 2, w // 2].sum()) > 380 else (240, 240, 240)
            anchor = rng.random() < 0.7
            at = (w / 2, h / 2) if anchor else (6, h - 14)
            write_text(cell, f"Topic {i + 1}", max(9, h // 8), at, "mm" if anchor else "lm", ink)
        else:
            cv2.circle(image, (x + w // 2, y + h // 2), h // 4, [int(c) for c in fills[0]], -1, cv2.LINE_AA)
    return image


def _photographs(pictures: Sequence[Picture], rng: np.random.Generator, count: int) -> list[Picture]:
    """Pictures as a person's camera takes them: some as they are, some cut and turned, some of leaves and sky."""
    found = []
    for _ in range(count):
        kind = rng.random()
        if kind < 0.5:
            picture = pictures[int(rng.integers(len(pictures)))]
            top, left = (int(rng.uniform(0, 0.4) * length) for length in picture.shape[:2])
            found.append(np.ascontiguousarray(picture[top : top + 120, left : left + 170]))
        else:
            rough = rng.normal(128, 50, (int(rng.integers(3, 40)), int(rng.integers(3, 50)), 3))
            tint = rng.uniform(0.4, 1.2, 3)
            soft = cv2.resize(np.clip(rough * tint, 0, 255).astype(np.uint8), (240, 180))
            found.append(np.asarray(soft, np.uint8))
    return found


def _photo_wall(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """Square pictures, or rows of pictures of one height that fill the width; scrolled, under a heading."""
    width, height = size
    image = _flat(size, pictures, rng)
    image[:] = (255, 255, 255) if rng.random() < 0.6 else (28, 28, 30)
    photographs = _photographs(pictures, rng, 40)
    gap = int(rng.integers(2, 12))
    top = int(rng.integers(-60, 0)) if rng.random() < 0.5 else int(rng.integers(40, 120))
    begin = top
    left = int(rng.choice([0, gap, width // 6]))
    square = rng.random() < 0.5
    side = (width - left) // int(rng.integers(4, 9))
    at = 0
    while top < height:
        x = left
        while x < width - gap:
            aspect = 1.0 if square else float(rng.choice([4 / 3, 3 / 2, 3 / 4, 16 / 9, 1.0]))
            w = min(round(side * aspect) if not square else side - gap, width - x)
            y0, y1 = max(top, 0), min(top + side - gap, height)
            if w > 4 and y1 > y0:
                photo = fill(photographs[at % 40], w, side - gap)
                image[y0:y1, x : x + w] = photo[y0 - top : y1 - top]
            at += 1
            x += w + gap
        top += side
    if begin > 0:
        write_text(image[:begin], "Photos", begin // 2, (left + 10, begin / 2), "lm", (120, 120, 120))
    return image


def _file_manager(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """Folders at the left, thumbnails with their file names below."""
    width, height = size
    image = _flat(size, pictures, rng)
    dark = rng.random() < 0.4
    image[:] = (30, 30, 32) if dark else (255, 255, 255)
    ink = (225, 225, 225) if dark else (40, 40, 40)
    side, bar = width // 6, max(30, height // 14)
    image[:, :side] = (40, 40, 44) if dark else (243, 243, 245)
    image[:bar] = (50, 50, 54) if dark else (232, 232, 236)
    for i, y in enumerate(range(bar + 20, height - 20, 28)):
        write_text(image, f"Folder {i}", 12, (14, y), "lm", ink)
    photographs = _photographs(pictures, rng, 20)
    w = max(48, int(width * rng.uniform(0.06, 0.14)))
    h = int(w / float(rng.choice([16 / 9, 4 / 3, 4 / 3, 1.0])))
    across, down = w + int(rng.integers(10, 40)), h + int(rng.integers(26, 60))
    i = 0
    for y in range(bar + 16, height - h - 20, down):
        for x in range(side + 16, width - w - 4, across):
            image[y : y + h, x : x + w] = fill(photographs[i % 20], w, h)
            write_text(image, f"IMG_{2040 + i}.jpg", max(9, h // 9), (x + w / 2, y + h + 12), "mm", ink)
            i += 1
    return image


def _web_page(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """A page of cards: a wide picture, a title and a line below, in three to five columns, as video sites have them."""
    width, height = size
    image = _flat(size, pictures, rng)
    dark = rng.random() < 0.4
    image[:] = (15, 15, 15) if dark else (255, 255, 255)
    ink = (235, 235, 235) if dark else (20, 20, 20)
    bar = max(40, height // 12)
    image[:bar] = (33, 33, 33) if dark else (246, 246, 248)
    write_text(image, "Search", bar // 3, (width / 2, bar / 2), "mm", ink)
    photographs = _photographs(pictures, rng, 20)
    columns, gap = int(rng.integers(2, 6)), int(rng.integers(8, 28))
    left = int(rng.choice([gap, width // 8]))
    w = (width - left - columns * gap) // columns
    h = w * 9 // 16
    text = max(36, h // 3)
    i = 0
    for y in range(bar + int(rng.integers(-h // 2, 30)), height, h + text + gap):
        for column in range(columns):
            x = left + column * (w + gap)
            y0, y1 = max(y, bar), min(y + h, height)
            if y1 > y0:
                image[y0:y1, x : x + w] = fill(photographs[i % 20], w, h)[y0 - y : y1 - y]
            for line, words in enumerate(("How to fold a paper bird", "12k views")):
                at = y + h + text * (line + 1) / 3
                if bar + 8 < at < height - 8:
                    write_text(image, words, max(9, text // 4), (x + 2, at), "lm", ink)
            i += 1
    return image


def _calendar(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """A month: seven columns of lined days with their numbers, some with coloured entries."""
    width, height = size
    image = _flat(size, pictures, rng)
    image[:] = (255, 255, 255) if rng.random() < 0.7 else (31, 31, 33)
    line = (218, 220, 224) if image[0, 0, 0] > 128 else (70, 72, 76)
    top, rows = height // 9, int(rng.integers(4, 7))
    w, h = width // 7, (height - top) // rows
    for day in range(7 * rows):
        x, y = day % 7 * w, top + day // 7 * h
        cv2.rectangle(image, (x, y), (x + w, y + h), line, 1)
        write_text(image, str(day + 1), max(9, h // 8), (x + w / 2, y + h / 8), "mm", (112, 117, 122))
        for entry in range(int(rng.integers(0, 3))):
            y0 = y + h // 4 + entry * h // 4
            image[y0 : y0 + h // 5, x + 4 : x + w - 4] = rng.integers(60, 220, 3)
    return image


def _charts(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """A dashboard: equal panels with a title and a curve or bars."""
    width, height = size
    image = _flat(size, pictures, rng)
    dark = rng.random() < 0.5
    image[:] = (17, 18, 23) if dark else (244, 245, 245)
    ink = (204, 204, 220) if dark else (36, 41, 46)
    columns, rows, gap = int(rng.integers(2, 5)), int(rng.integers(2, 5)), int(rng.integers(6, 14))
    w, h = (width - gap * (columns + 1)) // columns, (height - 50 - gap * (rows + 1)) // rows
    for i in range(rows * columns):
        x, y = gap + i % columns * (w + gap), 50 + gap + i // columns * (h + gap)
        panel = image[y : y + h, x : x + w]
        panel[:] = (24, 27, 31) if dark else (255, 255, 255)
        cv2.rectangle(image, (x, y), (x + w - 1, y + h - 1), (44, 50, 53) if dark else (220, 222, 225), 1)
        write_text(panel, f"Requests {i}", max(9, h // 12), (8, h / 10), "lm", ink)
        colour = [int(c) for c in rng.integers(60, 240, 3)]
        if rng.random() < 0.5:
            value = np.cumsum(rng.normal(0, 1, w - 20))
            value = (value - value.min()) / max(1e-6, float(np.ptp(value)))
            points = np.stack([x + 10 + np.arange(w - 20), y + h - 14 - value * (h * 0.6)], 1)
            cv2.polylines(image, [points.astype(np.int32)], False, colour, 2, cv2.LINE_AA)
        else:
            for bar in range(12):
                x0, tall = x + 10 + bar * (w - 20) // 12, int(rng.uniform(0.1, 0.6) * h)
                image[y + h - 14 - tall : y + h - 14, x0 : x0 + (w - 20) // 16] = colour
    return image


def _speaker_and_self(
    size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator
) -> Picture:
    """One large video with the own camera in a corner, under a title bar, over a toolbar."""
    image = compose_gallery(
        [pictures[int(rng.integers(len(pictures)))]],
        look=Look(size=size, toolbar=int(rng.integers(0, 60)), title_bar=28, margin=int(rng.choice([0, 8]))),
    ).image
    w = size[0] // int(rng.integers(5, 9))
    h = w * 9 // 16
    x, y = size[0] - w - 12, 40
    image[y : y + h, x : x + w] = fill(pictures[int(rng.integers(len(pictures)))], w, h)
    return image


def _shared_screen(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """Only a shared page, between black bars, with the program's bars above and below."""
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    bar = max(30, height // 18)
    image[:bar] = image[height - bar :] = (26, 26, 26)
    write_text(image, "You are viewing Ada's screen", bar // 2, (width / 2, bar / 2), "mm", (80, 220, 120))
    w = min(width, (height - 2 * bar) * 16 // 10)
    kind = ("document", "slide", "slide of rectangles", "spreadsheet", "desktop")[int(rng.integers(5))]
    page = SCREENS[kind]((w, height - 2 * bar), pictures, rng)
    image[bar : height - bar, (width - w) // 2 : (width - w) // 2 + w] = page
    return image


def _room(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """A camera's picture of a room with frames, shelves and windows: rectangles in a photograph."""
    width, height = size
    image = _flat(size, pictures, rng)
    image[:] = rng.integers(90, 230, 3)
    columns, rows = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    w, h = width // (columns + 1), int(height * 0.7) // (rows + 1)
    for i in range(rows * columns):
        x = w // 2 + i % columns * w + int(rng.integers(-3, 4))
        y = h // 3 + i // columns * h + int(rng.integers(-3, 4))
        cv2.rectangle(
            image, (x, y), (x + w * 8 // 10, y + h * 8 // 10), [int(c) for c in rng.integers(0, 256, 3)], -1
        )
        cv2.rectangle(image, (x, y), (x + w * 8 // 10, y + h * 8 // 10), (60, 42, 30), 5)
    person = pictures[int(rng.integers(len(pictures)))]
    tall = height * 2 // 3
    image[height - tall :, width // 3 : width * 2 // 3] = fill(person, width * 2 // 3 - width // 3, tall)
    noise = rng.normal(0, 3, image.shape)
    return np.asarray(
        cv2.GaussianBlur(np.clip(image + noise, 0, 255).astype(np.uint8), (0, 0), 1.2), np.uint8
    )


def _video_page(size: tuple[int, int], pictures: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """Thumbnails of videos with titles below them, and a menu at the left."""
    width, height = size
    ground, ink = ((15, 15, 15), (235, 235, 235)) if rng.random() < 0.5 else ((255, 255, 255), (20, 20, 20))
    image = np.empty((height, width, 3), np.uint8)
    image[:] = ground
    columns, side, gap = int(rng.integers(3, 6)), width * 3 // 20, 16
    text = max(9, height // 64)
    for y in range(4 * text, height - 2 * text, 3 * text):
        cv2.circle(image, (2 * text, y), text * 2 // 3, (140, 140, 140), 2)
        write_text(image, "Subscriptions"[: int(rng.integers(4, 13))], text, (4 * text, y), "lm", ink)
    wide = (width - side - gap * (columns + 1)) // columns
    high = wide * 9 // 16
    for top in range(6 * text, height, high + 5 * text):
        for column in range(columns):
            left = side + gap + column * (wide + gap)
            shown = image[top : top + high, left : left + wide]
            picture = fill(pictures[int(rng.integers(len(pictures)))], wide, high)
            shown[:] = picture[: shown.shape[0]]
            if shown.shape[0] == high:
                cv2.rectangle(
                    shown, (wide - 4 * text, high - 2 * text), (wide - 6, high - 6), (20, 20, 20), -1
                )
                write_text(
                    shown, "12:34", text * 4 // 5, (wide - 4 * text + 3, high - text - 3), "lm", (255,) * 3
                )
            below = image[top + high : top + high + 5 * text, left : left + wide]
            if below.shape[0] == 5 * text:
                colour = tuple(int(value) for value in rng.integers(40, 220, 3))
                cv2.circle(below, (text * 3 // 2, 2 * text), text * 3 // 2, colour, -1)
                write_text(
                    below,
                    "How to solve an equation"[: int(rng.integers(12, 24))],
                    text,
                    (4 * text, text),
                    "lm",
                    ink,
                )
                write_text(
                    below, "12k views · 3 days ago", text * 4 // 5, (4 * text, 3 * text), "lm", (130,) * 3
                )
    return image


SCREENS: Final[dict[str, Callable[[tuple[int, int], Sequence[Picture], np.random.Generator], Picture]]] = {
    "flat": _flat,
    "webcam": _webcam_alone,
    "speaker view": _speaker_view,
    "document": _document,
    "desktop": _desktop,
    "slide": _slide,
    "spreadsheet": _spreadsheet,
    "noise": _noise,
    "slide of rectangles": _slide_of_rectangles,
    "photo wall": _photo_wall,
    "file manager": _file_manager,
    "web page": _web_page,
    "calendar": _calendar,
    "charts": _charts,
    "speaker and self": _speaker_and_self,
    "shared screen": _shared_screen,
    "room": _room,
    "video page": _video_page,
}
