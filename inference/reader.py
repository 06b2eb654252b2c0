"""From a frame and its tiles to one reading per tile."""

import math
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.calibration import apply_bias
from engagement.consent import ClassRoll, Look
from engagement.records import Box, Face, Label, State, Tile, TileReading
from inference.align import FER2013, SIZE, crop_face
from inference.expression import ExpressionClassifier
from inference.faces import DETECTORS, FaceDetector, load_detector, load_landmarks
from inference.landmarks import LandmarkNetwork
from inference.mosaic import build_mosaic
from inference.names import LabelReader
from inference.pose import estimate
from inference.quality import QualityGate, sharpness
from models.registry import CropGeometry, ModelEntry, resolve

TILE_HEIGHT: Final = 112
"""Pixels to which a tile is brought for the detector; see benchmarks/frame_stages.py for what it finds."""
MIN_FACE: Final = 16
"""Pixels of that height: a seventh of the tile, a person at the far end of a room."""
_CLOSER: Final = 1.25
"""A tile in which no face was found or a small one, and that is so many times as high as `TILE_HEIGHT`, is looked at
once more, from nearer: somebody may sit far from the camera."""
_SMALL: Final = 20
"""Pixels of `TILE_HEIGHT` under which a face is framed badly: about the smallest, boxes are a third too high."""
_CLOSER_TILES: Final = 49
"""Such tiles together get as many pixels as so many have at first."""
_AS_SURE: Final = 0.75
"""Share of the best score of a tile, or of a picture without tiles, that another face of it must reach."""
_LONGEST_SIDE: Final = 1280
"""Pixels to which a frame without a grid is brought."""
_UNREAD: Final = Label("", None)
_SAME_TILE: Final = 0.9
"""IoU from which a tile is where another was in the frame before."""


@dataclass(frozen=True, slots=True)
class ReaderResult:
    """What one frame shows.

    Attributes:
        readings: one per tile, row by row.
        grid: False where no tiles were given and each face found counts as one.
        timings_ms: milliseconds per stage: names, faces, expression.
    """

    readings: tuple[TileReading, ...]
    grid: bool
    timings_ms: Mapping[str, float]


class Reader:
    """Reads faces, expressions, head pose and names.

    Args:
        detector: finds the faces.
        classifier: reads expressions; None reads none (participation mode).
        labels: reads names; None reads none, and looks at nobody where the roll needs them.
        gate: which faces may be read.
        geometry: of the classifier's training pictures.
        landmarks: refines the detector's landmarks; None believes the detector.
        keep_names: False reads names only where the roll needs them to tell who may be looked at, or which tile is the
            teacher's, and gives none (participation mode).
    """

    def __init__(
        self,
        detector: FaceDetector,
        classifier: ExpressionClassifier | None,
        labels: LabelReader | None,
        gate: QualityGate,
        geometry: CropGeometry = FER2013,
        landmarks: LandmarkNetwork | None = None,
        *,
        keep_names: bool = True,
    ) -> None:
        self._detector = detector
        self._landmarks = landmarks
        self._classifier = classifier
        self._labels = labels
        self._keep_names = keep_names
        self._gate = gate
        self._geometry = geometry
        self._size = classifier.size if classifier is not None else SIZE
        self._own_tile: Box | None = None

    def read(
        self, image: NDArray[np.uint8], tiles: Sequence[Tile], roll: ClassRoll | None = None
    ) -> ReaderResult:
        """Read one frame: names first, so that nobody's face is looked for who may not be looked at.

        Args:
            image: uint8 (H, W, 3) RGB.
            tiles: in pixels of the frame, row by row; where there are none, each face found counts as a tile.
            roll: whom to look at; None for everybody but the teacher. The teacher's own tile gets no reading; one
                that may not be looked at is `opted_out`. Without tiles there are no names: where the roll needs them,
                nobody is looked at.
        """
        roll = roll or ClassRoll()
        started = time.perf_counter()
        grid = bool(tiles)
        labels: Sequence[Label] = [_UNREAD] * len(tiles)
        biases: Sequence[NDArray[np.float32] | None] = [None] * len(tiles)
        opted_out: frozenset[int] = frozenset()
        if grid and (self._keep_names or roll.uses_names):
            read = labels if self._labels is None else self._labels.read(image, tiles)
            looks = self._looks(tiles, read, roll)
            image = _masked(
                image, [tile.box for tile, look in zip(tiles, looks, strict=True) if look is not Look.READ]
            )
            kept = [index for index, look in enumerate(looks) if look is not Look.LEFT_OUT]
            opted_out = frozenset(place for place, index in enumerate(kept) if looks[index] is Look.OPTED_OUT)
            tiles = [tiles[index] for index in kept]
            labels = [read[index] if self._keep_names else _UNREAD for index in kept]
            biases = roll.biases(labels)
        named = time.perf_counter()
        if grid:
            faces = self._main_faces(image, tiles, opted_out)
        elif roll.needs_names:
            faces = []
        else:
            tiles, faces = self._tiles_of_faces(image)
            labels, biases = [_UNREAD] * len(tiles), [None] * len(tiles)
        faces = self._refined(image, tiles, faces)
        found = time.perf_counter()
        readings = self._readings(image, tiles, faces, biases)
        for index in opted_out:
            readings[index] = replace(readings[index], state=State.OPTED_OUT)
        readings = [replace(reading, label=label) for reading, label in zip(readings, labels, strict=True)]
        classified = time.perf_counter()
        marks = (started, named, found, classified)
        stages = zip(("names", "faces", "expression"), pairwise(marks), strict=True)
        timings = {stage: (end - start) * 1000 for stage, (start, end) in stages}
        return ReaderResult(tuple(readings), grid, MappingProxyType(timings))

    def _looks(self, tiles: Sequence[Tile], labels: Sequence[Label], roll: ClassRoll) -> list[Look]:
        looks = list(roll.looks(labels))
        for index, (tile, label) in enumerate(zip(tiles, labels, strict=True)):
            if looks[index] is Look.LEFT_OUT:
                self._own_tile = tile.box
            elif label == _UNREAD and self._own_tile is not None:
                # a toolbar may lie over the name of the teacher's tile
                looks[index] = Look.LEFT_OUT if tile.box.iou(self._own_tile) >= _SAME_TILE else looks[index]
        return looks

    def _main_faces(
        self, image: NDArray[np.uint8], tiles: Sequence[Tile], opted_out: Set[int] = frozenset()
    ) -> list[Face | None]:
        """The face of each tile's seat; a card is not looked at, its portrait is no presence."""
        faces: list[Face | None] = [None] * len(tiles)
        shown = [index for index, tile in enumerate(tiles) if tile.camera_on and index not in opted_out]
        self._look(image, tiles, shown, TILE_HEIGHT, faces)
        again = [
            index
            for index in shown
            if tiles[index].box.height >= _CLOSER * TILE_HEIGHT
            and _is_small(faces[index], tiles[index].box.height)
        ]
        if again:
            room = round(TILE_HEIGHT * math.sqrt(_CLOSER_TILES / len(again)))
            height = min(room, max(tiles[index].box.height for index in again))
            if height >= _CLOSER * TILE_HEIGHT:
                self._look(image, tiles, again, height, faces)
        return faces

    def _look(
        self,
        image: NDArray[np.uint8],
        tiles: Sequence[Tile],
        chosen: Sequence[int],
        height: int,
        faces: list[Face | None],
    ) -> None:
        """Find the faces of the chosen tiles, each brought to `height` pixels. A face found before is framed anew where
        it is found again, and stays where it is not: what else there is was not surer at the first look."""
        if chosen:
            mosaic = build_mosaic(image, [tiles[index] for index in chosen], height)
            shared = mosaic.share_out(self._detector.detect(mosaic.image))
            for index, candidates in zip(chosen, shared, strict=True):
                before = faces[index]
                same = [face for face in candidates if before is None or _is_same(before, face)]
                faces[index] = main_face(same, tiles[index].box) or before

    def _tiles_of_faces(self, image: NDArray[np.uint8]) -> tuple[list[Tile], list[Face | None]]:
        height, width = image.shape[:2]
        whole = Tile(Box(0, 0, width, height), None, camera_on=True)
        scale = min(1.0, _LONGEST_SIDE / max(width, height))
        mosaic = build_mosaic(image, [whole], max(1, round(height * scale)))
        (found,) = mosaic.share_out(self._detector.detect(mosaic.image))
        ordered = _row_major(_sure(found))
        return [Tile(_around(face, width, height), None, camera_on=True) for face in ordered], list(ordered)

    def _refined(
        self, image: NDArray[np.uint8], tiles: Sequence[Tile], faces: Sequence[Face | None]
    ) -> list[Face | None]:
        """The faces with the landmarks that the frame's own pixels tell."""
        refined = list(faces)
        shown = [(index, face) for index, face in enumerate(faces) if face is not None]
        if self._landmarks is not None:
            boxes = [tiles[index].box for index, _ in shown]
            closer = self._landmarks.refine(image, [face for _, face in shown], boxes)
            for (index, _), face in zip(shown, closer, strict=True):
                refined[index] = face
        return refined

    def _readings(
        self,
        image: NDArray[np.uint8],
        tiles: Sequence[Tile],
        faces: Sequence[Face | None],
        biases: Sequence[NDArray[np.float32] | None],
    ) -> list[TileReading]:
        readings = []
        crops: dict[int, NDArray[np.uint8]] = {}
        for index, (tile, face) in enumerate(zip(tiles, faces, strict=True)):
            if face is None:
                state = State.NO_FACE if tile.camera_on else State.CAMERA_OFF
                readings.append(TileReading(tile, _UNREAD, state, None, None, None, 0.0))
                continue
            pose = estimate(face.landmarks)
            crop = crop_face(image, face, self._geometry, self._size, tile.box)
            sharp = sharpness(crop)
            state = self._gate.judge_face(face, pose, sharp)
            quality = self._gate.quality(face, pose, sharp)
            kept = pose if self._gate.shows_pose(face) else None
            readings.append(TileReading(tile, _UNREAD, state, face, None, kept, quality))
            if state is State.SEEN:
                crops[index] = crop
        if self._classifier is not None and crops:
            heights = [face.box.height for index in crops if (face := faces[index]) is not None]
            probabilities = self._classifier.classify(np.stack(list(crops.values())), heights)
            for index, read in zip(crops, probabilities, strict=True):
                face, bias = faces[index], biases[index]
                # before the gate, which judges what is believed of this seat
                row = read if bias is None else apply_bias(read, bias)
                if face is not None and row.max() < self._gate.least_probability(face):
                    readings[index] = replace(readings[index], state=State.UNREADABLE)
                else:
                    readings[index] = replace(readings[index], probabilities=row)
        return readings


def _masked(image: NDArray[np.uint8], boxes: Sequence[Box]) -> NDArray[np.uint8]:
    """The frame with some boxes filled flat."""
    if not boxes:
        return image
    masked = image.copy()
    for box in boxes:
        inside = box.clipped(image.shape[1], image.shape[0])
        masked[inside.top : inside.bottom, inside.left : inside.right] = 0
    return masked


def _is_small(face: Face | None, tile_height: int) -> bool:
    return face is None or face.box.height * TILE_HEIGHT < _SMALL * tile_height


def _is_same(before: Face, face: Face) -> bool:
    """Whether a face framed badly and one framed better are one: the middle of either lies in the other."""
    return before.box.contains(*face.box.centre) and face.box.contains(*before.box.centre)


def main_face(faces: Sequence[Face], tile: Box) -> Face | None:
    """The face of the tile's seat: the largest of those that are as sure as the surest, a face at the tile's edge
    counting half; None without faces."""
    x, y = tile.centre

    def weight(face: Face) -> float:
        across, down = face.box.centre
        away = max(abs(across - x) / tile.width, abs(down - y) / tile.height) * 2
        return face.box.area * (1 - 0.5 * min(1.0, away))

    return max(_sure(faces), key=weight, default=None)


def _sure(faces: Sequence[Face]) -> list[Face]:
    """Those whose score is not far below the best: beside a real face, a doubtful one is mostly a hand or a lamp."""
    best = max((face.score for face in faces), default=0.0)
    return [face for face in faces if face.score >= _AS_SURE * best]


def _row_major(faces: Sequence[Face]) -> list[Face]:
    """Faces row by row, each row from the left; a face belongs to a row if it overlaps the row's first by half."""
    rows: list[list[Face]] = []
    for face in sorted(faces, key=lambda face: face.box.centre[1]):
        if rows and face.box.centre[1] - rows[-1][0].box.centre[1] < rows[-1][0].box.height / 2:
            rows[-1].append(face)
        else:
            rows.append([face])
    return [face for row in rows for face in sorted(row, key=lambda face: face.box.centre[0])]


def _around(face: Face, width: int, height: int) -> Box:
    """Head and shoulders: 2.2 faces wide, 2 high, as a tile would show them."""
    across, down = round(face.box.height * 2.2), round(face.box.height * 2.0)
    x, y = face.box.centre
    return Box(round(x - across / 2), round(y - down * 0.45), across, down).clipped(width, height)


def load_reader(
    *,
    detector: str = DETECTORS[0],
    detector_model: Path | None = None,
    expressions: bool = True,
    keep_names: bool = True,
    label_budget: int | None = 8,
) -> Reader:
    """The reader of the product.

    Args:
        detector: name of the face detector, one of `inference.faces.DETECTORS`.
        detector_model: its model file, where it needs one.
        expressions: False in participation mode: the classifier is not even loaded.
        keep_names: False in participation mode: names are read only where the roll needs them, to tell who may be
            looked at or which tile is the teacher's. They can be from the start, since somebody may refuse while a
            class is read.
        label_budget: labels to be read in one frame at most, so that another page does not make a frame late; None
            reads all at once, as the first frame always does.

    Raises:
        InferenceError: a detector, the label reader or the weights cannot be loaded.
        models.errors.ModelsError: the weights are missing or not those of the manifest.
    """
    classifier, gate, geometry = None, QualityGate(), FER2013
    if expressions:
        entry = resolve("expression")
        classifier = ExpressionClassifier.of(entry)
        gate, geometry = _gate(entry), entry.crop
    return Reader(
        load_detector(detector, detector_model, min_face=MIN_FACE),
        classifier,
        LabelReader(label_budget, all_at_first=True),
        gate,
        geometry,
        load_landmarks(),
        keep_names=keep_names,
    )


def _gate(entry: ModelEntry) -> QualityGate:
    return QualityGate(
        min_height=entry.min_height, min_probability=entry.threshold, thresholds=entry.thresholds
    )
