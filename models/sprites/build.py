"""Second step: make the model and write `capture/assets/faces.npz`; see the package's docstring."""

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.drawn_faces import ASSET
from models.sprites.composites import (
    SIDE_YAW,
    compose,
    compose_sideways,
    read_portraits,
    straighten_frontal,
    straighten_sideways,
    turn_field,
)
from models.sprites.expressions import SIX, Workshop, blink_field
from models.sprites.geometry import backward, turned

RELIEF_BOX = (60, 72, 136, 160)
MOUTH_BOX = (88, 164, 80, 56)


def main() -> None:
    """Run both halves and pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("labeller", type=Path)
    parser.add_argument("--out", type=Path, default=ASSET)
    options = parser.parse_args()
    portraits = read_portraits(options.data, options.work, options.labeller)
    straight, rows = straighten_frontal(portraits)
    heads = compose(straight, portraits.readings[rows], portraits, sheet=options.work)
    sides = compose_sideways(straighten_sideways(portraits), heads, portraits.mean)
    bases = Workshop(options.data, options.work, portraits, rows).all()
    mean = portraits.mean
    names = (*SIX, "talk")
    arrays: dict[str, Any] = {
        "women": np.array([head.woman for head in heads]),
        "relief_box": np.array(RELIEF_BOX),
        "mouth_box": np.array(MOUTH_BOX[:2]),
        "mouth_index": np.array([place for place, name in enumerate(names) if bases[name].mouth is not None]),
        "eyes": np.array([_eyes(mean[:, :2]), _eyes(turned(mean, SIDE_YAW))], np.float32),
    }
    _pack(arrays, "front", [head.picture for head in heads], 88)
    _pack(arrays, "side", sides, 88)
    mouths = [mouth for name in names if (mouth := bases[name].mouth) is not None]
    _pack(arrays, "mouth", [_cut(mouth, MOUTH_BOX).astype(np.uint8) for mouth in mouths], 95)
    _quantise(
        arrays,
        "shape",
        np.array([backward(mean[:, :2] + head.offset, mean[:, :2], nodes=(36, 32)) for head in heads]),
    )
    _quantise(arrays, "expression", np.array([bases[name].field for name in names]))
    half = (RELIEF_BOX[2] // 2, RELIEF_BOX[3] // 2)
    reliefs = [
        cv2.resize(_cut(bases[name].relief, RELIEF_BOX), half, interpolation=cv2.INTER_AREA)[..., ::-1]
        for name in names
    ]
    _quantise(arrays, "relief", np.array(reliefs).clip(-1.8, 1.4))
    _quantise(arrays, "blink", blink_field(mean))
    _quantise(
        arrays,
        "turn",
        np.array([turn_field(mean, yaw, pitch) for yaw, pitch in ((-20, 0), (20, 0), (0, -20), (0, 20))]),
    )
    np.savez_compressed(options.out, **arrays)


def _cut(picture: NDArray[np.float32], box: tuple[int, int, int, int]) -> NDArray[np.float32]:
    left, top, width, height = box
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def _eyes(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([(points[33] + points[133]) / 2, (points[362] + points[263]) / 2])


def _pack(arrays: dict[str, Any], name: str, pictures: list[NDArray[np.uint8]], quality: int) -> None:
    """WebP files end to end, and where each ends."""
    files = [
        cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].ravel() for picture in pictures
    ]
    arrays[name] = np.concatenate(files)
    arrays[f"{name}_ends"] = np.cumsum([file.size for file in files])


def _quantise(arrays: dict[str, Any], name: str, values: NDArray[Any]) -> None:
    step = np.abs(values).max() / 127
    arrays[name], arrays[f"{name}_step"] = np.round(values / step).astype(np.int8), np.float32(step)


if __name__ == "__main__":
    main()
