"""Whether what stands in a grid is people in a meeting: names, cameras that are off, pictures in their own window."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from capture.cards import DARK, Content, begins_before, content, has_label, has_name
from engagement.records import Box

# Share of the tiles that bear a name where names alone tell a meeting, and least number of them.
NAMED: Final = 0.5
LEAST_NAMED: Final = 2
# Balance of named and unnamed tiles, as a share of all, from which nothing else needs to be asked.
NEARLY_ALL: Final = 0.75
# Where no tile is a camera's picture, all but this share of the tiles are cards with a name in the corner too,
# and there are so many.
UNNAMED_CARDS: Final = 0.2
LEAST_CARDS: Final = 4
# From this share of tiles on, whose lowest part is flat and of one grey, names are captions of pictures on a page.
CAPTIONED: Final = 0.7
# One row of so many is enough where all of it is: the next one may be cut through the pictures below.
LEAST_CAPTIONED_ROW: Final = 4
CAPTION: Final = 0.1
CAPTION_GROUND: Final = 0.72
# Where names are switched off, share of the tiles that are pictures, and of drawings that may be among them.
PICTURES: Final = 0.5
DRAWINGS: Final = 0.34
# They stand so near to the middle, as shares of the picture's width and height.
OFF_MIDDLE: Final = (0.04, 0.08)
# Around such tiles, from beyond the speaker's border and over this share of a tile's height, so many of the lines
# along a side are to this share of one grey.
BORDER: Final = 8
AROUND: Final = 0.12
CALM_LINES: Final = 0.75
CALM: Final = 0.85
TOLERANCE: Final = 4
SAMPLES: Final = 400


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a picture shows at the places of some tiles.

    Attributes:
        contents: of each tile.
        named: whether there is a name at its bottom left, that does not begin beside it.
        grounds: of the lowest part of a picture its grey, if it is flat as a page on which a caption stands; -1 else.
        tops: its row's, in pixels.
    """

    contents: tuple[Content, ...]
    named: tuple[bool, ...]
    grounds: tuple[int, ...]
    tops: tuple[int, ...]

    @classmethod
    def of(cls, grey: NDArray[np.uint8], boxes: Sequence[Box]) -> Self:
        """Look at these places of a grey picture uint8 (H, W)."""
        tiles = [grey[box.top : box.bottom, box.left : box.right] for box in boxes]
        contents = tuple(content(tile) for tile in tiles)
        return cls(
            contents,
            tuple(
                (has_name(tile) and not begins_before(grey, box.left, box.top, box.bottom))
                or (what is Content.CARD and has_label(tile))
                for tile, what, box in zip(tiles, contents, boxes, strict=True)
            ),
            tuple(
                -1 if what is Content.CARD or _is_dark_room(grey, box) else _ground(tile)
                for tile, what, box in zip(tiles, contents, boxes, strict=True)
            ),
            tuple(box.top for box in boxes),
        )

    def __add__(self, other: Self) -> Self:
        """What is seen at the places of both."""
        return type(self)(
            self.contents + other.contents,
            self.named + other.named,
            self.grounds + other.grounds,
            self.tops + other.tops,
        )

    @property
    def names(self) -> bool:
        """Whether the names alone tell a meeting."""
        count = len(self.contents)
        if Content.PICTURE not in self.contents:
            unnamed = sum(
                not named or what is not Content.CARD
                for named, what in zip(self.named, self.contents, strict=True)
            )
            return count >= LEAST_CARDS and unnamed <= UNNAMED_CARDS * count
        if self.contents.count(Content.DRAWING) > count / 2 or self.is_page:
            return False
        return sum(self.named) >= max(LEAST_NAMED, NAMED * count)

    @property
    def is_page(self) -> bool:
        """Whether the names are captions that stand below pictures on a page of one grey."""
        rows: dict[int, list[int]] = {}
        for ground, named, what, top in zip(self.grounds, self.named, self.contents, self.tops, strict=True):
            if named and what is not Content.CARD:
                rows.setdefault(top, []).append(ground)
        every = [ground for row in rows.values() for ground in row]
        return _captioned(every) >= CAPTIONED or any(
            len(row) >= LEAST_CAPTIONED_ROW and _captioned(row) == 1 for row in rows.values()
        )

    @property
    def balance(self) -> int:
        """How many tiles bear a name, less those that bear none."""
        return 2 * sum(self.named) - len(self.named)

    @property
    def all_named(self) -> bool:
        """Whether every tile bears a name."""
        return all(self.named)

    @property
    def clear(self) -> bool:
        """Whether nearly all tiles bear a name."""
        return self.names and self._nearly_all_named

    @property
    def labelled(self) -> bool:
        """Whether nearly all tiles bear a name that is no caption, whatever they show."""
        return self._nearly_all_named and not self.is_page

    @property
    def _nearly_all_named(self) -> bool:
        return self.balance >= NEARLY_ALL * len(self.named)

    @property
    def cameras(self) -> bool:
        """Whether these may be the pictures of cameras whose names are switched off."""
        count = len(self.contents)
        return (
            self.contents.count(Content.PICTURE) >= PICTURES * count
            and self.contents.count(Content.DRAWING) <= DRAWINGS * count
        )


def _captioned(grounds: Sequence[int]) -> float:
    """The share of pictures whose lowest part is flat and of the grey that most of those have."""
    flat = [ground for ground in grounds if ground >= 0]
    common = float(np.median(flat)) if flat else 0.0
    return sum(abs(ground - common) <= TOLERANCE for ground in flat) / max(1, len(grounds))


def is_named(tile: NDArray[np.uint8]) -> bool:
    """Whether a grey tile uint8 (h, w) bears a name."""
    return has_name(tile) or (has_label(tile) and content(tile) is Content.CARD)


def nearly_all_named(grey: NDArray[np.uint8], boxes: Sequence[Box]) -> bool:
    """Whether so many of these places bear a name that they may be `clear`; stops looking where they do not."""
    unnamed = 0
    for box in boxes:
        tile = grey[box.top : box.bottom, box.left : box.right]
        unnamed += not is_named(tile)
        if 2 * unnamed > (1 - NEARLY_ALL) * len(boxes):
            return False
    return True


def _is_dark_room(grey: NDArray[np.uint8], box: Box) -> bool:
    """Whether a tile is dark all over, and its lowest part ends below and at a side where another grey begins: a
    caption stands on the page's own, which goes on beside it even where the next picture begins right below."""
    tile = grey[box.top : box.bottom, box.left : box.right]
    if np.median(tile) > DARK:
        return False
    ground = float(np.median(tile[-4:-1]))
    low = slice(max(box.top, box.bottom - 4), box.bottom - 1)
    below = grey[box.bottom + 1 : box.bottom + 3, box.left : box.right]
    sides = (
        grey[low, max(0, box.left - 3) : max(0, box.left - 1)],
        grey[low, box.right + 1 : box.right + 3],
    )
    ends_below, *ends_beside = (
        bool(part.size) and abs(float(np.median(part)) - ground) > TOLERANCE for part in (below, *sides)
    )
    return ends_below and any(ends_beside)


def _ground(tile: NDArray[np.uint8]) -> int:
    """The commonest grey of the lowest part of a tile, if nearly all but some writing has it; else -1."""
    height = tile.shape[0]
    part = tile[height - max(4, round(CAPTION * height)) : height - 2]
    if not part.size:
        return -1
    near = np.convolve(np.bincount(part.ravel(), minlength=256), np.ones(2 * TOLERANCE + 1, np.intp), "same")
    common = int(near.argmax())
    return common if near[common] >= CAPTION_GROUND * part.size else -1


def is_alone(grey: NDArray[np.uint8], boxes: Sequence[Box]) -> bool:
    """Whether these tiles stand in the middle of the grey picture uint8 (H, W), and all around them it is flat, as a
    window that holds nothing else is."""
    height, width = grey.shape
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    off = abs(left + right - width) / 2, abs(top + bottom - height) / 2
    if off[0] > OFF_MIDDLE[0] * width or off[1] > OFF_MIDDLE[1] * height:
        return False
    far = BORDER + max(4, round(AROUND * boxes[0].height))
    around = (
        grey[max(0, top - far) : max(0, top - BORDER), left:right],
        grey[bottom + BORDER : bottom + far, left:right],
        grey[top:bottom, max(0, left - far) : max(0, left - BORDER)].T,
        grey[top:bottom, right + BORDER : right + far].T,
    )
    return all(_is_calm(lines) for lines in around if lines.size)


def _is_calm(lines: NDArray[np.uint8]) -> bool:
    """Whether most lines uint8 (n, length) are of one grey each, but for the icons of a bar."""
    lines = lines[:, :: max(1, lines.shape[1] // SAMPLES)].astype(np.int16)
    near = np.abs(lines - np.median(lines, axis=1)[:, None]) <= TOLERANCE
    return bool((near.mean(axis=1) >= CALM).mean() >= CALM_LINES)
