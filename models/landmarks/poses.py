"""How well landmarks tell where a head looks: beside the teachers on photographs, and against angles that are known."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.drawn_faces import CHIN_Y, HEIGHT, WIDTH, Faces, Look
from engagement.records import Box, Face
from inference.pose import estimate
from models.detector.photo import Photo
from models.detector.placing import resized
from models.landmarks.turning import turn_head

ANGLES: Final = ("yaw", "pitch", "roll")
TURNS: Final = (-30, -20, -10, 0, 10, 20, 30)
NODS: Final = (-30, -20, -10, 0, 10, 20)
DRAWN: Final = (-20, -10, 0, 10, 20)
_FRONTAL: Final = 20.0
"""Degrees of yaw up to which a head is turned by known angles: it must not turn out of sight."""
_AS_IN_CLASS: Final = 40.0
"""Pixels of a face's height in a gallery of 49."""
_ROOM: Final = 60
"""Grey pixels around a drawn head."""

Find = Callable[[NDArray[np.uint8]], list[Face]]
"""Faces in a picture uint8 (H, W, 3) RGB."""


def pose_of(landmarks: NDArray[np.float32]) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees."""
    pose = estimate(landmarks)
    return pose.yaw, pose.pitch, pose.roll


def agreement(read: Sequence[tuple[float, float, float]], other: Sequence[tuple[float, float, float]]) -> Any:
    """Per angle the ratio of the standard deviations (read over other), the correlation, and the mean absolute
    difference in degrees."""
    mine, theirs = np.array(read), np.array(other)
    return {
        name: {
            "spread": float(mine[:, k].std() / max(1e-9, float(theirs[:, k].std()))),
            "correlation": float(np.corrcoef(mine[:, k], theirs[:, k])[0, 1]),
            "difference": float(np.abs(mine[:, k] - theirs[:, k]).mean()),
        }
        for k, name in enumerate(ANGLES)
    }


def beside_each_other(photos: Sequence[Photo], finders: dict[str, Find]) -> dict[str, Any]:
    """Agreement of the poses of all pairs of finders over the sure faces that every one of them finds."""
    rows: dict[str, list[tuple[float, float, float]]] = {who: [] for who in finders}
    for photo in photos:
        found = {who: find(photo.picture) for who, find in finders.items()}
        for box in photo.boxes:
            faces = {who: _at(box, some) for who, some in found.items()}
            if all(face is not None for face in faces.values()):
                for who, face in faces.items():
                    if face is not None:
                        rows[who].append(pose_of(face.landmarks))
    names = list(finders)
    return {
        "faces": len(rows[names[0]]),
        "spread": {who: np.array(poses).std(axis=0).tolist() for who, poses in rows.items()},
        "pairs": {
            f"{one}, {two}": agreement(rows[one], rows[two])
            for number, one in enumerate(names)
            for two in names[number + 1 :]
        },
    }


def by_known_turns(photos: Sequence[Photo], finders: dict[str, Find], count: int) -> dict[str, Any]:
    """Mean yaw (pitch) read of portraits that were turned (nodded) by known degrees, in faces as high as in a class.

    Portraits with one face that looks about ahead, the first `count`; where a finder finds none, it is left out.
    """
    chosen = [
        photo
        for photo in photos
        if len(photo.boxes) == 1
        and photo.origin == "portraits"
        and abs(estimate(photo.landmarks[0]).yaw) <= _FRONTAL
    ][:count]
    answers: dict[str, Any] = {"faces": len(chosen)}
    for axis, degrees in (("yaw", TURNS), ("pitch", NODS)):
        read = {who: [] for who in ("turned", *finders)}  # type: dict[str, list[list[float]]]
        for more in degrees:
            here: dict[str, list[float]] = {who: [] for who in read}
            for photo in chosen:
                turn = (float(more), 0.0) if axis == "yaw" else (0.0, float(more))
                turned = turn_head(photo, 0, *turn)
                small = resized(turned, _AS_IN_CLASS / float(photo.boxes[0, 3] - photo.boxes[0, 1]))
                k = ANGLES.index(axis)
                here["turned"].append(pose_of(small.landmarks[0])[k])
                for who, find in finders.items():
                    face = _at(small.boxes[0], find(small.picture))
                    here[who].append(pose_of(face.landmarks)[k] if face is not None else np.nan)
            for who, values in here.items():
                read[who].append(values)
        answers[axis] = _responses(degrees, read)
    return answers


def of_drawn_heads(finders: dict[str, Find], people: Sequence[int]) -> dict[str, Any]:
    """The same of the composite heads of the synthetic class, which another mesh turned (`models.sprites`)."""
    drawn = Faces()
    answers: dict[str, Any] = {"faces": len(people)}
    for axis in ("yaw", "pitch"):
        read: dict[str, list[list[float]]] = {who: [] for who in finders}
        for degrees in DRAWN:
            here: dict[str, list[float]] = {who: [] for who in finders}
            for person in people:
                look = Look(yaw=degrees) if axis == "yaw" else Look(pitch=degrees)
                picture = drawn_portrait(drawn, person, look)
                box = np.array([_ROOM + 64, _ROOM + 80, _ROOM + 192, _ROOM + CHIN_Y], np.float32) * (
                    _AS_IN_CLASS / 128
                )
                for who, find in finders.items():
                    face = _at(box, find(picture), least=0.2)
                    k = ANGLES.index(axis)
                    here[who].append(pose_of(face.landmarks)[k] if face is not None else np.nan)
            for who, values in here.items():
                read[who].append(values)
        answers[axis] = _responses(DRAWN, read)
    return answers


def drawn_portrait(drawn: Faces, person: int, look: Look, height: float = _AS_IN_CLASS) -> NDArray[np.uint8]:
    """A composite head before grey, its face so many pixels high: uint8 (H, W, 3) RGB."""
    head = drawn.head(person, look)
    canvas = np.full((HEIGHT + 2 * _ROOM, WIDTH + 2 * _ROOM, 3), 150, np.uint8)
    inner = canvas[_ROOM : _ROOM + HEIGHT, _ROOM : _ROOM + WIDTH]
    cover = head[..., 3:].astype(np.float32) / 255
    inner[:] = (cover * head[..., :3] + (1 - cover) * inner).astype(np.uint8)
    scale = height / 128
    small = cv2.resize(canvas, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _responses(degrees: Sequence[int], read: dict[str, list[list[float]]]) -> dict[str, Any]:
    """Per reader its mean at each angle, and the degrees read per degree turned (least squares over all faces)."""
    rows = {}
    for who, values in read.items():
        table = np.array(values)  # (angles, faces)
        about = table - np.nanmean(table, axis=0)
        turns = np.array(degrees, float)[:, np.newaxis] - np.mean(degrees)
        there = np.isfinite(about)
        slope = float((about * turns)[there].sum() / np.broadcast_to(turns**2, about.shape)[there].sum())
        rows[who] = {
            "mean": np.nanmean(table, axis=1).tolist(),
            "spread": np.nanstd(table, axis=1).tolist(),
            "gain": slope,
            "missed": int((~there).sum()),
        }
    return {"degrees": list(degrees), "read": rows}


def _at(box: NDArray[np.float32], faces: Sequence[Face], least: float = 0.4) -> Face | None:
    """The face that overlaps the box most, by `least` of their union or more."""
    left, top, right, bottom = np.rint(box).astype(int).tolist()
    place = Box(left, top, right - left, bottom - top)
    near = max(faces, key=lambda face: face.box.iou(place), default=None)
    return near if near is not None and near.box.iou(place) >= least else None
