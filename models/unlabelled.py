"""Faces without labels: what teachers say of them is all that a pupil can learn there.

On FER2013's own faces a teacher repeats the labels that it learnt by heart. Of faces that it never saw it tells what it
knows (Xie et al. 2020, "Self-training with Noisy Student improves ImageNet classification").
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.align import SIZE, crop_face
from inference.faces import load_detector, load_landmarks
from models.data import read_pictures
from models.errors import DataError


def read_unlabelled(
    sources: Sequence[Path], *, on_picture: Callable[[int, int], None] | None = None
) -> NDArray[np.uint8]:
    """The faces of all pictures of `sources`, cut out as the product does it: uint8 (N, 48, 48), grey.

    A source is a parquet with encoded pictures in the column `image`, of which the rows of `split` train count where it
    has that column. A picture of 48 x 48 is a face already; in larger ones the shipped detector finds them.
    `on_picture` hears the pictures done and their total. Raises DataError where a source cannot be read or none of its
    pictures shows a face.
    """
    pictures = {source: read_pictures(source) for source in sources}
    total, done = sum(map(len, pictures.values())), 0
    find = _Finder()
    faces: list[NDArray[np.uint8]] = []
    for source, blobs in pictures.items():
        before = len(faces)
        for row, blob in enumerate(blobs):
            faces.extend(find(_decode(blob, f"Picture {row} of {source}")))
            done += 1
            if on_picture is not None:
                on_picture(done, total)
        if len(faces) == before:
            raise DataError(
                f"No picture of {source} shows a face. Give pictures of people with --unlabelled."
            )
    return np.stack(faces)


class _Finder:
    """The faces of one picture after another."""

    def __init__(self) -> None:
        self._detector, self._landmarks = load_detector("tileface"), load_landmarks()

    def __call__(self, picture: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
        """Of uint8 (H, W, 3) RGB."""
        if picture.shape[:2] == (SIZE, SIZE):
            yield np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
            return
        faces = self._landmarks.refine(picture, self._detector.detect(picture))
        yield from (crop_face(picture, face) for face in faces)


def _decode(blob: bytes, what: str) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(blob, np.uint8), cv2.IMREAD_COLOR_RGB) if blob else None
    if image is None:
        raise DataError(f"{what} cannot be decoded; fetch it again or remove it.")
    return np.asarray(image, np.uint8)
