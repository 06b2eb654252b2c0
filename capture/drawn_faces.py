"""Faces of people who do not exist: a small linear appearance model, for the synthetic class.

The model was trained by `models/sprites` and lies in `assets/faces.npz`. It holds composite heads, each the mean of
at least 24 people in one common shape; per expression a displacement field and a relief (log ratio of brightness)
against a neutral face; a displacement field per composite that gives back its own proportions; fields for a turn and a
nod of the head and for closing the eyes. A face is one composite, moved and lit by a weighted sum of these. Nothing in
it is a picture of a person.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.tile_art import put_glasses

WIDTH: Final = 256
HEIGHT: Final = 288
"""Size of a head picture in pixels; the face is 128 of them high."""
BROW_Y: Final = 88.0
EYES_Y: Final = 133.0
CHIN_Y: Final = 216.0
"""Rows of the hair line, the eyes and the chin."""

ASSET: Final = Path(__file__).parent / "assets" / "faces.npz"

FRONT_LIMIT: Final = 24.0
"""Degrees of yaw up to which the frontal composite is turned; beyond, the three-quarter one is taken."""
_SIDE_YAW: Final = 32.0
_FIELD_YAW: Final = 20.0
_FIELD_PITCH: Final = 20.0
_LIFT: Final = 12.0
"""Added to a value of 0..255 before its logarithm, so that black stays finite; as in the training."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a face does.

    Attributes:
        weights: strength 0..1 of angry, disgust, fear, happy, sad, surprise, in this order; all 0 is neutral.
        talk: 0..1, how far the mouth is open in speech.
        blink: 0 open eyes .. 1 closed.
        yaw: degrees, above 0 to the right of the picture; beyond 24 a three-quarter view, without expression.
        pitch: degrees within -20..20, above 0 up.
        glasses: style of spectacles, see `capture.tile_art.put_glasses`; None for none.
    """

    weights: tuple[float, float, float, float, float, float] = (0.0,) * 6
    talk: float = 0.0
    blink: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    glasses: int | None = None


class Faces:
    """The appearance model, read from its file.

    Attributes:
        women: per composite whether its members were mostly women.
    """

    def __init__(self, path: Path = ASSET) -> None:
        with np.load(path) as stored:
            data = {name: stored[name] for name in stored.files}
        self.women: tuple[bool, ...] = tuple(bool(flag) for flag in data["women"])
        self._front = _unpack(data["front"], data["front_ends"])
        self._side = _unpack(data["side"], data["side_ends"])
        self._shape = _dequantise(data, "shape")
        self._expression = _dequantise(data, "expression")
        self._relief = _dequantise(data, "relief")
        self._relief_box = tuple(int(value) for value in data["relief_box"])
        self._mouths = _unpack(data["mouth"], data["mouth_ends"])
        self._mouth_box = tuple(int(value) for value in data["mouth_box"])
        self._mouth_of = {int(index): place for place, index in enumerate(data["mouth_index"])}
        self._blink = _dequantise(data, "blink")
        self._turn = _dequantise(data, "turn")  # to the left, to the right, down, up
        self._eyes = data["eyes"].astype(np.float64)  # of the frontal and of the three-quarter view
        self._spectacled: dict[tuple[int, bool, int], NDArray[np.uint8]] = {}

    def __len__(self) -> int:
        return len(self._front)

    def head(self, person: int, look: Look) -> NDArray[np.uint8]:
        """Head, neck and hair of a composite.

        Args:
            person: 0..len(self) - 1.
            look: what the face does.

        Returns:
            uint8 (288, 256, 4), RGB and alpha (not premultiplied).
        """
        if abs(look.yaw) > FRONT_LIMIT:
            return self._turned(person, look)
        outer = _enlarged(self._shape[person])
        outer = outer + _enlarged(self._turn[0 if look.yaw < 0 else 1]) * np.float32(
            abs(look.yaw) / _FIELD_YAW
        )
        outer = outer + _enlarged(self._turn[2 if look.pitch < 0 else 3]) * np.float32(
            abs(look.pitch) / _FIELD_PITCH
        )
        across, down = _grid()
        to_x, to_y = across + outer[..., 0], down + outer[..., 1]
        strengths = np.array([*look.weights, look.talk], np.float32)
        inner = _enlarged(np.tensordot(strengths, self._expression, 1))
        if look.blink > 0:
            inner = inner + _enlarged(self._blink) * np.float32(look.blink)
        inner = cv2.remap(inner, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        head = cv2.remap(
            self._texture(person, look.glasses, side=False),
            to_x + inner[..., 0],
            to_y + inner[..., 1],
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if strengths.any():
            self._light(head, strengths, to_x, to_y)
        return np.asarray(head, np.uint8)

    def _texture(self, person: int, glasses: int | None, *, side: bool) -> NDArray[np.uint8]:
        picture = (self._side if side else self._front)[person]
        if glasses is None:
            return picture
        key = (person, side, glasses)
        if key not in self._spectacled:
            self._spectacled[key] = picture.copy()
            put_glasses(self._spectacled[key], self._eyes[int(side)], glasses)
        return self._spectacled[key]

    def _light(
        self,
        head: NDArray[np.uint8],
        strengths: NDArray[np.float32],
        to_x: NDArray[np.float32],
        to_y: NDArray[np.float32],
    ) -> None:
        """Fold, shade and open the mouth, in place, where the expressions say so."""
        left, top, width, height = self._relief_box
        relief = cv2.resize(
            np.exp(np.tensordot(strengths, self._relief, 1)), (width, height), interpolation=cv2.INTER_LINEAR
        )
        ratio = cv2.remap(
            relief,
            to_x - left,
            to_y - top,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(1, 1, 1),
        )
        colour = (head[..., :3] + _LIFT) * ratio - _LIFT
        left, top = self._mouth_box
        for index, place in self._mouth_of.items():
            strength = min(1.0, float(strengths[index]))
            if strength <= 0:
                continue
            mouth = cv2.remap(
                self._mouths[place],
                to_x - left,
                to_y - top,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=(0, 0, 0, 0),
            ).astype(np.float32)
            cover = mouth[..., 3:] * (strength / 255)
            # teeth are as bright as the light on the face, which its skin tells only in part
            light = float(np.sqrt(head[150:185, 100:156, :3].mean() / 135.0))
            colour += (mouth[..., :3] * light - colour) * cover
        head[..., :3] = np.clip(colour, 0, 255).astype(np.uint8)

    def _turned(self, person: int, look: Look) -> NDArray[np.uint8]:
        """The three-quarter view; beyond its own yaw the picture is turned on by the field of the frontal one."""
        across, down = _grid()
        more = _enlarged(self._turn[1]) * np.float32((abs(look.yaw) - _SIDE_YAW) / _FIELD_YAW)
        head = cv2.remap(
            self._texture(person, look.glasses, side=True),
            across + more[..., 0],
            down + more[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(head if look.yaw > 0 else head[:, ::-1], np.uint8)


def _unpack(stream: NDArray[np.uint8], ends: NDArray[np.int64]) -> list[NDArray[np.uint8]]:
    """Pictures RGBA from WebP files laid end to end."""
    pictures = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        picture = cv2.imdecode(stream[int(start) : int(end)], cv2.IMREAD_UNCHANGED)
        pictures.append(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA), np.uint8))
    return pictures


def _dequantise(data: dict[str, Any], name: str) -> NDArray[np.float32]:
    return np.asarray(data[name].astype(np.float32) * np.float32(data[f"{name}_step"]), np.float32)


@cache
def _grid() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return across, down


@cache
def _nodes(rows: int, columns: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    across, down = _grid()
    x = across * np.float32((columns - 1) / (WIDTH - 1))
    y = down * np.float32((rows - 1) / (HEIGHT - 1))
    return x.astype(np.float32), y.astype(np.float32)


def _enlarged(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """A displacement field on a grid of nodes, from corner to corner, brought to every pixel."""
    x, y = _nodes(*field.shape[:2])
    return np.asarray(cv2.remap(np.ascontiguousarray(field), x, y, cv2.INTER_LINEAR), np.float32)
