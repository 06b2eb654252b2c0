"""What lies over the tiles of a meeting window: badges, controls, watermarks, bars. Drawn into the picture."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from engagement.records import Box
from tests.capture.synthetic_gallery import Colour, Picture, write_text

Random = np.random.Generator
YELLOW: Final[Colour] = (252, 204, 60)


def badges(image: Picture, boxes: Sequence[Box], rng: Random, share: float = 0.5) -> None:
    """Raised hands and reactions at the top left, microphones, pins and menu buttons at the top right."""
    for box in boxes:
        if rng.random() >= share:
            continue
        size = max(10, round(box.height * rng.uniform(0.1, 0.24)))
        away = round(size * rng.uniform(0.1, 0.5))
        left, top = box.left + away, box.top + away
        if rng.random() < 0.6:
            if rng.random() < 0.5:
                patch = image[top : top + size, left : left + size]
                patch[:] = (patch * 0.4 + np.array((24, 24, 24)) * 0.6).astype(np.uint8)
            centre = left + size // 2, top + size // 2
            colour = YELLOW if rng.random() < 0.7 else tuple(int(c) for c in rng.integers(60, 256, 3))
            cv2.circle(image, centre, size * 2 // 5, colour, -1, cv2.LINE_AA)
            cv2.line(image, (centre[0], top), centre, colour, max(2, size // 6), cv2.LINE_AA)
        if rng.random() < 0.6:
            right = box.right - away
            if rng.random() < 0.5:
                cv2.circle(image, (right - size // 2, top + size // 2), size // 2, (40, 42, 46), -1)
                cv2.line(
                    image, (right - size * 3 // 4, top + size // 4),
                    (right - size // 4, top + size * 3 // 4), (242, 84, 84), 2,
                )  # fmt: skip
            else:
                image[top : top + size // 2, right - size : right] = (36, 110, 235)
                write_text(
                    image[top : top + size // 2, right - size : right], "...", max(8, size // 2),
                    (size / 2, size / 5), "mm", (255, 255, 255),
                )  # fmt: skip


def controls(image: Picture, boxes: Sequence[Box], rng: Random) -> None:
    """Some of what a program lays over the gallery: page arrows, a message, a menu, a view button, the pointer."""
    height, width = image.shape[:2]
    top, bottom = min(box.top for box in boxes), max(box.bottom for box in boxes)
    unit = max(10, height // 40)
    kinds = rng.permutation(5)[: int(rng.integers(1, 4))]
    if 0 in kinds:
        for x in (unit, width - 2 * unit):
            y = (top + bottom) // 2
            image[y - 2 * unit : y + 2 * unit, x - unit // 2 : x + unit] = (60, 60, 62)
            write_text(image, "1/2", max(8, unit // 2), (x, y + unit), "mm", (240, 240, 240))
    if 1 in kinds:
        wide = min(width * 2 // 3, unit * 20)
        message = image[top + unit : top + 3 * unit, (width - wide) // 2 : (width + wide) // 2]
        message[:] = (38, 38, 42) if rng.random() < 0.5 else (250, 250, 250)
        ink: Colour = (230, 230, 230) if message[0, 0, 0] < 99 else (30, 30, 30)
        write_text(message, "Keiko Tanaka is in the waiting room", unit, (unit, unit), "lm", ink)
    if 2 in kinds:
        box = boxes[int(rng.integers(len(boxes)))]
        x, y = min(box.left + box.width // 2, width - 8 * unit), min(box.top + unit, height - 8 * unit)
        menu = image[max(0, y) : y + 7 * unit, max(0, x) : x + 7 * unit]
        menu[:] = (252, 252, 252)
        for i, text in enumerate(("Mute", "Pin", "Spotlight", "Rename")):
            write_text(menu, text, max(8, unit * 3 // 4), (8, unit * (1.2 + 1.6 * i)), "lm", (40, 40, 40))
    if 3 in kinds:
        view = image[top + 4 : top + 4 + unit, width - 6 * unit : width - unit]
        view[:] = (view * 0.3).astype(np.uint8)
        write_text(view, "View", max(8, unit * 3 // 4), (view.shape[1] / 2, unit / 2), "mm", (240, 240, 240))
    if 4 in kinds:
        x, y = int(rng.uniform(0.2, 0.8) * width), int(rng.uniform(top, bottom))
        arrow = np.array([(0, 0), (0, unit), (unit * 3 // 4, unit * 3 // 4)]) + np.array([x, y])
        cv2.fillPoly(image, [arrow.astype(np.int32)], (255, 255, 255))
        cv2.polylines(image, [arrow.astype(np.int32)], True, (0, 0, 0), 1)


def watermark(image: Picture, boxes: Sequence[Box], rng: Random) -> None:
    """The same half-transparent address over every tile, or one large one over the window, or a logo in a corner."""
    kind, cover = int(rng.integers(3)), rng.uniform(0.15, 0.5)
    over = np.zeros_like(image)
    height, width = image.shape[:2]
    if kind == 0:
        for box in boxes:
            size = max(9, box.width // 12)
            write_text(
                over[box.top : box.bottom, box.left : box.right], "ada@school.example", size,
                (box.width / 2, box.height / 2), "mm", (255, 255, 255),
            )  # fmt: skip
    elif kind == 1:
        write_text(over, "SCHOOL ONLINE", width // 9, (width / 2, height / 2), "mm", (255, 255, 255))
    else:
        size = height // 6
        right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
        cv2.circle(over, (right - size, bottom - size), size // 2, (255, 255, 255), -1, cv2.LINE_AA)
        cover = 0.9
    share = over.astype(np.float32) / 255 * cover
    image[:] = (image * (1 - share) + 255 * share).astype(np.uint8)


def toolbar_over(image: Picture, height: int, rng: Random, cover: float) -> None:
    """A toolbar over the lowest part of the window, `cover` opaque, with icons and their names."""
    band = image[len(image) - height :]
    band[:] = (band * (1 - cover) + np.array((26, 26, 26)) * cover).astype(np.uint8)
    step = max(48, image.shape[1] // int(rng.integers(9, 16)))
    texts = ("Mute", "Video", "People", "Chat", "Share", "Record", "React", "More", "End")
    for i, x in enumerate(range(step // 2, image.shape[1] - step // 2, step)):
        cv2.circle(band, (x, height // 3), max(3, height // 6), (235, 235, 235), 2, cv2.LINE_AA)
        write_text(
            band, texts[i % len(texts)], max(8, height // 5), (x, height * 0.75), "mm", (235, 235, 235)
        )


def browser_chrome(image: Picture, height: int, *, dark: bool) -> None:
    """Tabs and an address bar at the top of the picture."""
    bar = image[:height]
    bar[:] = (53, 54, 58) if dark else (222, 225, 230)
    ink: Colour = (230, 230, 230) if dark else (60, 60, 60)
    middle = height // 2
    bar[middle:] = (66, 67, 71) if dark else (255, 255, 255)
    bar[4:middle, 8 : 8 + 6 * height // 2] = bar[-1, 0]
    write_text(bar, "Meet", max(8, height // 6), (height / 2, middle / 2 + 2), "lm", ink)
    image[height - middle * 4 // 5 : height - middle // 5, height * 2 : image.shape[1] - height] = (
        (32, 33, 36) if dark else (241, 243, 244)
    )
    write_text(
        bar, "meet.example/abc-defg-hij", max(8, height // 6), (height * 2.3, height * 0.75), "lm", ink
    )


def round_buttons(image: Picture, height: int) -> None:
    """The round buttons in the middle of the lower edge, as Meet has them, and the time at the left."""
    bottom, width = image.shape[:2]
    radius, middle = max(5, height // 4), bottom - height // 2
    for i in range(-4, 5):
        colour = (234, 67, 53) if i == 4 else (60, 64, 67)
        cv2.circle(image, (width // 2 + i * radius * 3, middle), radius, colour, -1, cv2.LINE_AA)
        cv2.circle(image, (width // 2 + i * radius * 3, middle), max(2, radius // 3), (240, 240, 240), 2)
    write_text(
        image, "10:42 | abc-defg-hij", max(8, height // 5), (height // 3, middle), "lm", (232, 234, 237)
    )
