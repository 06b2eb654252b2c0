"""Our detector, alone and with the networks that look closer, beside YuNet on people neither was trained on: galleries,
photographs, groups of faces, drawings, screenshots, and where heads look."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.classroom import Classroom
from engagement.records import STATES_WITH_FACE, Box, Face, State, Tile
from inference.faces import FaceDetector
from inference.landmarks import LandmarkNetwork
from inference.mosaic import build_mosaic
from inference.presence import ConfirmedDetector, PresenceNetwork
from inference.reader import MIN_FACE, TILE_HEIGHT
from inference.tileface import TileFaceDetector
from models.charts import Line, line_chart, write_charts
from models.data import data_hash
from models.detector import drawn
from models.detector.calibration import LOWEST, SWEEP
from models.detector.card import write_card
from models.detector.chance import beyond_chance
from models.detector.compose import (
    TILE,
    compose_tilted,
)
from models.detector.groups import compose_groups, main_face_pictures, main_face_scores
from models.detector.judged import TABLE, judged_share, picture_sets
from models.detector.labels import label_photos, load_mtcnn, load_yunet
from models.detector.measure import Tally, tallies_of
from models.detector.photo import Photo
from models.errors import DataError
from models.landmarks import poses
from models.manifest import replace_file
from models.registry import (
    MANIFEST,
    FaceEntry,
    PresenceEntry,
    resolve_face,
    resolve_landmarks,
    resolve_presence,
)

HEIGHTS: Final = ((9, 18), (18, 24), (24, 36), (36, 56), (56, 113))
_FAINTEST: Final = 0.001
"""Score from which ours is looked at: its lower ones lie close together, and a curve that ends early has less below it.
At the thresholds that are compared it is the same."""
_SHARES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_GALLERIES: Final = 48
_DRAWN: Final = 400
_REPEATS: Final = 15
_TURNED: Final = 80
"""Portraits turned and nodded by known angles."""


def evaluate_detector(
    data: Path,
    out: Path,
    *,
    manifest: Path = MANIFEST,
    labels: Path | None = None,
    card: Path | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure the shipped detector and YuNet and write `detector.json` and `detector.svg` into `out`.

    Args:
        data: the shared data.
        out: a folder, made if absent.
        manifest: that names the weights.
        labels: pseudo-labels of an earlier run (`label_photos`); by default they are made in `out`.
        card: a Markdown file to write the figures into, which then also stand beside the weights; None writes none.
        on_step: hears the photographs labelled, then the sets of pictures looked at, and their total.

    Raises:
        DataError: a file of the shared data is absent, or MTCNN is not installed.
        inference.errors.DetectorError: a detector cannot be loaded.
        models.errors.ManifestError, models.errors.WeightsError: the detector was not exported.
    """
    out.mkdir(parents=True, exist_ok=True)
    entry, landmarks = resolve_face(manifest), resolve_landmarks(manifest)
    network = LandmarkNetwork(landmarks.path)
    presence = resolve_presence(manifest)
    detectors: dict[str, FaceDetector] = {
        "ours": _ours(entry, presence, _FAINTEST),
        "YuNet": load_yunet(data, threshold=LOWEST),
    }
    teachers: dict[str, FaceDetector] = {"YuNet": load_yunet(data), "MTCNN": load_mtcnn(min_face=24)}
    shots = _screenshots(data)
    photos = label_photos(data, labels or out / "labels.npz", on_photo=on_step)["test"]
    report: dict[str, Any] = {
        "threshold": entry.threshold,
        "sha256": entry.sha256,
        "landmarks_sha256": landmarks.sha256,
        "presence_sha256": presence.sha256,
        "judged_sha256": data_hash(TABLE),
        "judged_share": judged_share(photos),
    }
    refined = Refined(detectors["ours"], network)
    alone = TileFaceDetector(entry.path, threshold=LOWEST)
    sets, groups = picture_sets(photos, _GALLERIES, seed=2), compose_groups(photos)
    done, total = 0, len(sets) + len(groups) + 3
    for kind, pictures in (("sets", sets), ("groups", groups)):
        report[kind] = {}
        for name, scenes in pictures.items():
            tallies = {
                who: tallies_of(detector, scenes)
                for who, detector in {**detectors, "refined": refined, "alone": alone}.items()
            }
            report[kind][name] = {
                who: _described(Tally.joined(each), entry.threshold, whole=kind == "sets")
                for who, each in tallies.items()
            } | {"pictures": len(scenes)}
            if kind == "sets":
                report[kind][name]["chance"] = beyond_chance(tallies["ours"], tallies["YuNet"])
            done += 1
            if on_step is not None:
                on_step(done, total)
    drawings, mains = _drawings(), main_face_pictures(photos)
    report["main_faces"] = {name: {"pictures": len(portraits)} for name, portraits in mains.items()}
    for who, detector in detectors.items():
        for name, portraits in mains.items():
            report["main_faces"][name][who] = _found(main_face_scores(detector, portraits))
        report.setdefault("drawings", {})[who] = _false_faces(detector, drawings)
        report.setdefault("screenshots", {})[who] = _on_screenshots(detector, shots)
        done += 1
        if on_step is not None:
            on_step(done, total)
    report["drawings"]["pictures"] = len(drawings)
    # as they are used: below, there are many more boxes to tell apart
    served: dict[str, FaceDetector] = {
        "ours": _ours(entry, presence, entry.threshold),
        "alone": TileFaceDetector(entry.path, threshold=entry.threshold),
        "YuNet": load_yunet(data),
    }
    report["milliseconds"] = {who: _milliseconds(detector, photos) for who, detector in served.items()}
    report["landmark_milliseconds"] = _landmark_milliseconds(network, photos)
    report["synthetic_class"] = _on_the_class(_ours(entry, presence, entry.threshold, MIN_FACE))
    report["poses"] = _poses(photos, _ours(entry, presence, entry.threshold), network, teachers)
    if on_step is not None:
        on_step(total, total)
    report = _rounded(report)
    contents = (json.dumps(report, indent=1) + "\n").encode()
    replace_file(out / "detector.json", contents)
    write_charts(sweep_charts(report), out / "detector.svg")
    if card is not None:
        replace_file(entry.path.with_suffix(".json"), contents)
        write_card(card, report, manifest)
    return report


def _ours(face: FaceEntry, presence: PresenceEntry, threshold: float, min_face: int = 8) -> ConfirmedDetector:
    """As the product uses it, but for the threshold."""
    network = PresenceNetwork(presence.path)
    return ConfirmedDetector(face.path, network, presence.scale, threshold=threshold, min_face=min_face)


class Refined:
    """A detector whose landmarks the network refines, in the picture that the detector sees."""

    def __init__(self, detector: FaceDetector, network: LandmarkNetwork) -> None:
        self._detector = detector
        self._network = network

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """As `FaceDetector.detect`."""
        return self._network.refine(image, self._detector.detect(image))


def sweep_charts(report: dict[str, Any]) -> list[str]:
    """Recall and precision against the threshold, one chart per set of pictures, and the recall of main faces."""
    charts = [
        line_chart(
            name,
            [
                Line(
                    f"{who}, {what}",
                    [(point["threshold"], point[what]) for point in row[who]["sweep"]],
                    colour,
                    dashed=what == "precision",
                )
                for colour, who in enumerate(("ours", "YuNet"))
                for what in ("recall", "precision")
            ],
            x="threshold",
            y="recall, precision",
            x_ticks=SWEEP,
            y_ticks=_SHARES,
        )
        for name, row in report["sets"].items()
    ]
    mains = [
        line_chart(
            f"{name}, main face",
            [
                Line(
                    f"{who}, recall",
                    [(point["threshold"], point["found"] / max(1, row["pictures"])) for point in row[who]],
                    colour,
                )
                for colour, who in enumerate(("ours", "YuNet"))
            ],
            x="threshold",
            y="recall",
            x_ticks=SWEEP,
            y_ticks=_SHARES,
        )
        for name, row in report["main_faces"].items()
    ]
    return [*charts, *mains]


def _described(tally: Tally, threshold: float, *, whole: bool) -> dict[str, Any]:
    """What the card says of a set of pictures; `whole`: by threshold and by height, too."""
    rows = [
        dict(zip(("threshold", "recall", "precision"), (t, *tally.at(t)), strict=True))
        for t in (*SWEEP, threshold)
    ]
    told = {
        "faces": tally.faces,
        "ap": tally.average_precision(),
        "landmarks": tally.landmark_error(threshold),
        "landmarks_median": tally.landmark_median(threshold),
        "at_threshold": rows[-1],
    }
    if not whole:
        return told
    heights = []
    for low, high in HEIGHTS:
        recall, count = tally.recall(threshold, low, high)
        gap = tally.landmark_error(threshold, low, high)
        heights.append({"from": low, "to": high, "faces": count, "recall": recall, "landmarks": gap})
    return told | {"sweep": rows[:-1], "heights": heights}


def _found(scores: NDArray[np.float64]) -> list[dict[str, float]]:
    return [{"threshold": t, "found": int((scores >= t).sum())} for t in SWEEP]


def _rounded(value: Any) -> Any:
    """The report with numbers of five digits behind the point, from which the card is written and can be again."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return round(value, 5) if isinstance(value, float) else value


def _drawings() -> list[NDArray[np.uint8]]:
    """Tiles on which nothing is a face."""
    rng = np.random.default_rng(17)
    return [drawn.faceless(number, round(TILE * 16 / 9), TILE, rng) for number in range(_DRAWN)]


def _false_faces(detector: FaceDetector, pictures: Sequence[NDArray[np.uint8]]) -> list[dict[str, float]]:
    scores = np.array([face.score for picture in pictures for face in detector.detect(picture)])
    return [{"threshold": t, "faces": int((scores >= t).sum())} for t in SWEEP]


def _screenshots(data: Path) -> list[tuple[NDArray[np.uint8], list[dict[str, Any]]]]:
    folder = data / "galleries"
    try:
        entries = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"Cannot read the screenshots' annotations ({error}).") from error
    shots = []
    for entry in entries:
        picture = cv2.imread(str(folder / entry["file"]), cv2.IMREAD_COLOR_RGB)
        if picture is None:
            raise DataError(f"The screenshot {folder / entry['file']} cannot be read; fetch it again.")
        shots.append((np.asarray(picture, np.uint8), entry["tiles"]))
    return shots


def _on_screenshots(
    detector: FaceDetector, shots: Sequence[tuple[NDArray[np.uint8], list[dict[str, Any]]]]
) -> list[dict[str, float]]:
    """Tiles with a face in which one is found, and tiles without one in which one is, by threshold."""
    best: list[tuple[bool, float]] = []
    for image, truths in shots:
        tiles = [Tile(Box(*truth["box"]), None, True) for truth in truths]
        for truth, faces in zip(truths, _in_tiles(detector, image, tiles), strict=True):
            score = max((face.score for face in faces), default=-1.0)
            # a card may carry a photograph: the product does not look at it, and it is not counted here
            if truth["face"] or truth["camera_on"]:
                best.append((bool(truth["face"]), score))
    return [
        {
            "threshold": t,
            "faces": sum(face for face, _ in best),
            "found": sum(face and score >= t for face, score in best),
            "faceless": sum(not face for face, _ in best),
            "false": sum(not face and score >= t for face, score in best),
        }
        for t in SWEEP
    ]


def _in_tiles(
    detector: FaceDetector, image: NDArray[np.uint8], tiles: Sequence[Tile]
) -> tuple[tuple[Face, ...], ...]:
    mosaic = build_mosaic(image, tiles, TILE_HEIGHT)
    return mosaic.share_out(detector.detect(mosaic.image))


def _on_the_class(detector: FaceDetector) -> dict[str, int]:
    """The product's synthetic class of 49, with the seed of its demo, at some moments."""
    room = Classroom(49, 1920, 1080, seed=7)
    faces = found = empty = false = 0
    for at in (5.0, 40.0, 80.0, 120.0):
        truths = [truth for truth in room.truth(at) if truth.state is not State.CAMERA_OFF]
        tiles = [Tile(truth.box, None, True) for truth in truths]
        for truth, here in zip(truths, _in_tiles(detector, room.draw(at), tiles), strict=True):
            shows = truth.state in STATES_WITH_FACE
            faces, found = faces + shows, found + (shows and bool(here))
            empty, false = empty + (not shows), false + (not shows and bool(here))
    return {"faces": faces, "found": found, "faceless": empty, "false": false}


def _poses(
    photos: Sequence[Photo], ours: FaceDetector, network: LandmarkNetwork, teachers: dict[str, FaceDetector]
) -> dict[str, Any]:
    """Where heads look, as the teachers, our detector alone and the refined landmarks tell."""
    finders: dict[str, poses.Find] = {
        "refined": Refined(ours, network).detect,
        "ours": ours.detect,
        **{who: teacher.detect for who, teacher in teachers.items()},
    }
    return {
        "photographs": poses.beside_each_other(photos, finders),
        "turned": poses.by_known_turns(photos, finders, _TURNED),
        "drawn": poses.of_drawn_heads(finders, range(40)),
    }


def _landmark_milliseconds(network: LandmarkNetwork, photos: Sequence[Photo]) -> dict[str, float]:
    """Median wall and processor time of the landmarks of 49 faces, 60 pixels high, their crops included."""
    picture, box = photos[0].picture, photos[0].boxes[0]
    scale = 60 / float(box[3] - box[1])
    small = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    left, top, right, bottom = np.rint(box * scale).astype(int).tolist()
    face = Face(Box(left, top, right - left, bottom - top), photos[0].landmarks[0] * np.float32(scale), 1.0)
    return _timed(lambda: network.refine(small, [face] * 49))


def _milliseconds(detector: FaceDetector, photos: Sequence[Photo]) -> dict[str, float]:
    """Median wall and processor time of a 1920 x 1080 gallery of 49 faces, its mosaic included."""
    rng = np.random.default_rng(19)
    frame = np.zeros((1080, 1920, 3), np.uint8)
    tiles = []
    for number in range(49):
        box = Box(8 + number % 7 * 272, 6 + number // 7 * 152, 268, 150)
        person = compose_tilted(photos, 0.0, rng).picture
        frame[box.top : box.bottom, box.left : box.right] = cv2.resize(person, (box.width, box.height))
        tiles.append(Tile(box, None, True))
    return _timed(lambda: _in_tiles(detector, frame, tiles))


def _timed(run: Callable[[], object]) -> dict[str, float]:
    """Median wall and processor time of some runs after a first one, in milliseconds."""
    run()
    wall, processor = [], []
    for _ in range(_REPEATS):
        started, spent = time.perf_counter(), time.process_time()
        run()
        wall.append((time.perf_counter() - started) * 1000)
        processor.append((time.process_time() - spent) * 1000)
    return {"wall": statistics.median(wall), "processor": statistics.median(processor)}
