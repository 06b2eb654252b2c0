"""What an expression does to a neutral face: a displacement field, a relief, an open mouth."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.sprites.composites import Portraits
from models.sprites.geometry import (
    ABOVE_LIDS,
    INNER_LIPS,
    LOWER_LIDS,
    OUTER_LIPS,
    OVAL,
    UPPER_LIDS,
    Field,
    Points,
    Spline,
    angles,
    backward,
    covered,
    decoded,
    moved,
    pulled,
    smoothstep,
    straightened,
)

SIX: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise")
_VOTE: Final = {"angry": "anger", "happy": "happiness", "sad": "sadness"}
_POSED: Final = {"angry": "anger", "sad": "sadness"}
_COARSE: Final = 14.0
"""Pixels; light and shade coarser than this belong to the person, not to the expression."""
_LIFT: Final = 12.0

Picture = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Source:
    """A mean face of one expression.

    Attributes:
        offset: (468, 3) its shape against the neutral mean.
        mean: grey or BGR (H, W[, 3]) in that shape.
        relief: mean of the fine part of the logarithm, like `mean`.
    """

    offset: Points
    mean: Picture
    relief: Picture


@dataclass(frozen=True, slots=True)
class Basis:
    """One expression: field on nodes, relief (H, W, 3) and mouth (H, W, 4) BGR and alpha, or None."""

    offset: Points
    field: Field
    relief: Picture
    mouth: Picture | None


@dataclass(frozen=True, slots=True)
class _Set:
    files: list[bytes]
    labels: NDArray[Any]
    landmarks: Points
    shapes: Points
    upright: NDArray[np.bool_]
    agreement: dict[str, NDArray[np.float64]]

    @property
    def gap(self) -> Points:
        return np.asarray(self.shapes[:, 14, 1] - self.shapes[:, 13, 1])


class Workshop:
    """Reads the labelled faces once and makes expressions of them."""

    def __init__(self, data: Path, work: Path, portraits: Portraits, rows: NDArray[np.intp]) -> None:
        self._portraits = portraits
        self._mean = portraits.mean
        self._fer = self._read(work / "fer.pkl", pd.read_parquet(data / "fer2013/fer2013plus.parquet"))
        self._posed = self._read(work / "ck.pkl", pd.read_parquet(data / "ckplus/ck48.parquet"))
        self._rows = rows
        shapes = np.array([moved(face, self._mean) for face in portraits.landmarks[rows]])
        self._open = shapes[:, 14, 1] - shapes[:, 13, 1]
        calm = self._of("neutral", 0.4) & (self._fer.gap < 4)
        self._neutral = self._shape(self._fer, calm, self._fer.agreement["neutral"])
        self._reference = {
            "fer": self._textures(self._fer, calm, "neutral", np.zeros_like(self._mean), 220).relief,
            "lfw": self._coloured("neutral", np.zeros_like(self._mean)).relief,
        }

    def _read(self, found: Path, table: Any) -> _Set:
        with found.open("rb") as stored:
            landmarks, _ = pickle.load(stored)  # noqa: S301 -- written by the first step
        rows = sorted(landmarks)
        points = np.array([landmarks[row][:468] for row in rows], np.float64)
        poses = np.array([angles(self._mean, face) for face in points])
        upright = (np.abs(poses[:, 0]) < 18) & (np.abs(poses[:, 1] - np.median(poses[:, 1])) < 14)
        votes = [column for column in table.columns if column.startswith("votes_")]
        agreement = {}
        if votes:
            total = table[votes].to_numpy().sum(axis=1)
            for kind in (*SIX, "neutral"):
                agreement[kind] = (table["votes_" + _VOTE.get(kind, kind)].to_numpy() / total)[rows]
        return _Set(
            [table["image"].iloc[row] for row in rows],
            table["label"].to_numpy()[rows],
            points,
            np.array([moved(face, self._mean) for face in points]),
            upright,
            agreement,
        )

    def _of(self, kind: str, agreed: float) -> NDArray[np.bool_]:
        fer = self._fer
        return np.asarray(fer.upright & (fer.labels == kind) & (fer.agreement[kind] > agreed))

    def _shape(self, faces: _Set, chosen: NDArray[np.bool_], weight: NDArray[np.float64]) -> Points:
        mean = np.average(faces.shapes[chosen], axis=0, weights=weight[chosen])
        other = mean[self._portraits.mirror] * [-1, 1, 1] + [2 * self._mean[:, 0].mean(), 0, 0]
        return np.asarray((mean + other) / 2)

    def _accumulated(self, faces: list[tuple[bytes, Points]], offset: Points, mode: int) -> Source:
        target = (self._mean + offset)[:, :2]
        spline = Spline(target)
        total: Any = 0.0
        fine: Any = 0.0
        for file, points in faces:
            picture = decoded(file, mode)
            mirrored = points[self._portraits.mirror] * [-1, 1] + [picture.shape[1] - 1, 0]
            for side, own in ((picture, points), (picture[:, ::-1], mirrored)):
                placed = straightened([np.ascontiguousarray(side)], own, spline, target)[0].astype(np.float32)
                logarithm = np.log(placed + _LIFT)
                total = total + placed
                fine = fine + logarithm - cv2.GaussianBlur(logarithm, (0, 0), _COARSE)
        return Source(offset, total / (2 * len(faces)), fine / (2 * len(faces)))

    def _textures(
        self, faces: _Set, chosen: NDArray[np.bool_], kind: str, offset: Points, most: int
    ) -> Source:
        rows = np.flatnonzero(chosen)
        if kind in faces.agreement:
            rows = rows[np.argsort(-faces.agreement[kind][rows], kind="stable")]
        return self._accumulated(
            [(faces.files[row], faces.landmarks[row, :, :2]) for row in rows[:most]],
            offset,
            cv2.IMREAD_GRAYSCALE,
        )

    def _coloured(self, kind: str, offset: Points) -> Source:
        """From portraits that the labeller reads as `kind`, with a mouth as open as that."""
        labels = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
        sure = self._portraits.readings[self._rows][:, labels.index(kind)].copy()
        fits = {
            "happy": (self._open >= 5) & (self._open <= 12),
            "surprise": self._open > 7,
            "fear": self._open > 3,
        }.get(kind, self._open <= 4)
        sure[~fits] = 0
        most = {"happy": 160, "neutral": 260, "surprise": 30, "fear": 60}.get(kind, 110)
        rows = self._rows[[row for row in np.argsort(-sure)[:most] if sure[row] > 0.02]]
        faces = [(self._portraits.files[row], self._portraits.landmarks[row, :, :2]) for row in rows]
        return self._accumulated(faces, offset, cv2.IMREAD_COLOR)

    def _spontaneous(self, kind: str, agreed: float, gap: tuple[float, float], most: int = 220) -> Source:
        """FER2013's faces of one label, that the voters of FER+ agree on, with a mouth as open as that."""
        chosen = self._of(kind, agreed) & (self._fer.gap > gap[0]) & (self._fer.gap < gap[1])
        offset = self._shape(self._fer, chosen, self._fer.agreement[kind]) - self._neutral
        return self._textures(self._fer, chosen, kind, offset, most)

    def _acted(self, offset: Points, kind: str) -> Source:
        """CK+'s peaks in a given shape."""
        chosen = self._posed.upright & (self._posed.labels == _POSED.get(kind, kind))
        chosen[np.flatnonzero(chosen)[np.arange(chosen.sum()) % 3 > 0]] = (
            False  # three frames of each sequence
        )
        return self._textures(self._posed, chosen, "", offset, 400)

    def all(self) -> dict[str, Basis]:
        """The six expressions and speech.

        Shapes and strengths were chosen by looking, and by two classifiers that agree on them: the product's own and
        mini-Xception of `fer`.
        """
        limits = {
            "angry": (0.4, (-9.0, 7.0)),
            "disgust": (0.15, (-9.0, 99.0)),
            "fear": (0.4, (3.0, 99.0)),
            "happy": (0.4, (4.0, 14.0)),
            "sad": (0.4, (-9.0, 4.0)),
            "surprise": (0.4, (7.0, 99.0)),
        }
        own = {kind: self._spontaneous(kind, *limit) for kind, limit in limits.items()}
        shouting = self._spontaneous("angry", 0.8, (5.0, 17.0), 170)
        sickened = self._spontaneous("disgust", 0.45, (-9.0, 99.0), 170)
        afraid = self._spontaneous("fear", 0.6, (4.0, 99.0), 170)
        peaks = {
            kind: self._shape(
                self._posed,
                self._posed.upright & (self._posed.labels == _POSED.get(kind, kind)),
                np.ones(len(self._posed.labels)),
            )
            for kind in SIX
        }
        middle = np.mean(list(peaks.values()), axis=0)
        common = np.mean([own[kind].offset for kind in SIX], axis=0)
        acted = {kind: peaks[kind] - middle + common for kind in SIX}
        posed = {kind: self._acted(own[kind].offset, kind) for kind in SIX}
        smile, wonder, fright = (
            self._coloured(kind, own[kind].offset) for kind in ("happy", "surprise", "fear")
        )
        frown = 0.5 * own["angry"].offset + 0.5 * acted["angry"]
        made = {
            "angry": self._made(
                (0.5 * shouting.offset + 0.5 * frown * 1.9) * 1.25,
                [(shouting, "fer", 0.6), (own["angry"], "fer", 0.2), (posed["angry"], "fer", 0.2)],
                2.1,
                shouting,
            ),
            "disgust": self._made(
                (0.4 * sickened.offset + 0.8 * acted["disgust"]) * 1.15,
                [(sickened, "fer", 0.5), (posed["disgust"], "fer", 0.6)],
                1.7,
                sickened,
            ),
            "fear": self._made(
                (0.8 * afraid.offset + 0.3 * own["surprise"].offset) * 0.95,
                [(afraid, "fer", 0.8), (own["surprise"], "fer", 0.3)],
                2.0,
                afraid,
            ),
            "happy": self._made(
                0.7 * own["happy"].offset + 0.3 * acted["happy"],
                [(smile, "lfw", 0.6), (own["happy"], "fer", 0.2), (posed["happy"], "fer", 0.2)],
                1.0,
                smile,
            ),
            "sad": self._made(
                (0.55 * own["sad"].offset + 0.45 * acted["sad"]) * 2.2,
                [(own["sad"], "fer", 0.45), (posed["sad"], "fer", 0.55)],
                2.0,
                None,
            ),
            "surprise": self._made(
                (0.7 * own["surprise"].offset + 0.3 * acted["surprise"]) * 1.3,
                [(wonder, "lfw", 0.35), (own["surprise"], "fer", 0.35), (posed["surprise"], "fer", 0.3)],
                1.4,
                wonder,
            ),
        }
        speech = 0.6 * own["fear"].offset + 0.4 * acted["fear"]
        speech = speech * 0.8 * smoothstep(self._mean[:, 1:2], 168, 182) * [1, 1, 0]
        talk = self._made(speech, [(fright, "lfw", 0.4), (own["fear"], "fer", 0.4)], 0.7, fright)
        lips = covered((self._mean + speech)[OUTER_LIPS, :2], 2.5, 1.12)[..., None]
        made["talk"] = Basis(talk.offset, talk.field, talk.relief * lips, talk.mouth)
        return made

    def _made(
        self, offset: Points, sources: list[tuple[Source, str, float]], strength: float, mouth: Source | None
    ) -> Basis:
        neutral, shape = self._mean[:, :2], (self._mean + offset)[:, :2]
        field = backward(shape, neutral)
        relief: Any = 0.0
        for source, reference, share in sources:
            own = pulled(_three(source.relief), backward(shape, (self._mean + source.offset)[:, :2]))
            relief = relief + share * (own - pulled(_three(self._reference[reference]), field))
        lips = covered(shape[OUTER_LIPS], 2.5, 1.1)[..., None]
        shade = relief.mean(axis=2, keepdims=True)  # colour changes at the mouth only
        relief = (relief * lips + shade * (1 - lips)) * strength * covered(shape[OVAL], 5, 0.93)[..., None]
        if mouth is None:
            return Basis(offset, field, relief, None)
        colour = pulled(mouth.mean, backward(shape, (self._mean + mouth.offset)[:, :2]))
        if colour.ndim == 2:
            colour = _tinted(colour)
        cover = covered(shape[INNER_LIPS], 1.2, 1.04)[..., None] * 0.9
        return Basis(offset, field, relief, np.dstack([colour, cover * 255]).clip(0, 255).astype(np.float32))


def _three(picture: Picture) -> Picture:
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, 2)


def _tinted(grey: Picture) -> Picture:
    """The inside of a mouth in colour: warm where it is dark, nearly white where there are teeth."""
    middle = float(grey[150:200, 90:166].mean())
    strong = ((grey - middle) * 1.15 + middle) / 255
    light = smoothstep(strong, 0.25, 0.6)[..., None]
    tint = np.array([0.55, 0.55, 1.05]) * (1 - light) + np.array([0.93, 0.97, 1.0]) * light
    return np.asarray((strong[..., None] * 255 * tint).clip(0, 255), np.float32)


def blink_field(mean: Points) -> Field:
    """Closed eyes: the upper lids come down to the lower ones."""
    neutral = mean[:, :2]
    closed = neutral.copy()
    closed[UPPER_LIDS] = neutral[LOWER_LIDS] + (neutral[UPPER_LIDS] - neutral[LOWER_LIDS]) * 0.12
    closed[ABOVE_LIDS] += (neutral[LOWER_LIDS] - neutral[UPPER_LIDS]) * 0.35
    return backward(closed, neutral, nodes=(144, 128), stiffness=3.0)
