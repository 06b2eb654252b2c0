"""Does it pay to turn faces upright before their expression is read?

PublicTest's pictures are tilted by known angles, found again by a detector, cut out with and without the turn and
classified by the shipped weights, against what most voters saw. The default detector's landmarks are refined first, as
the product does it, unless `--coarse` leaves them. Run it with

    python -m benchmarks.alignment --data ../shared/data
"""

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engagement.records import Face
from inference.align import crop_face, upright_angle
from inference.expression import ExpressionClassifier
from inference.faces import DETECTORS, load_detector, load_landmarks
from models.data import read_faces
from models.heads import truth_of
from models.registry import resolve

TILTS = (0, 15, -15, 30, -30, 45, -45)
FACE = 96
"""Side in pixels of a FER2013 picture on the canvas, a third of the canvas's."""


def tilted(picture: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """The grey picture uint8 (48, 48), clockwise by `degrees` on a larger canvas: uint8 (288, 288, 3)."""
    side = 3 * FACE
    large = cv2.resize(picture, (FACE, FACE), interpolation=cv2.INTER_CUBIC)
    canvas = cv2.copyMakeBorder(large, FACE, FACE, FACE, FACE, cv2.BORDER_REPLICATE)
    turn = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), -degrees, 1.0)
    turned = cv2.warpAffine(canvas, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(turned, cv2.COLOR_GRAY2RGB), np.uint8)


def central(faces: list[Face]) -> Face | None:
    """The face that fills the picture's place on the canvas, if it was found."""
    middle = 1.5 * FACE
    for face in sorted(faces, key=lambda face: -face.score):
        x, y = face.box.centre
        if max(abs(x - middle), abs(y - middle)) < FACE / 4 and 0.5 < face.box.height / FACE < 2.0:
            return face
    return None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of fer2013/")
    parser.add_argument("--faces", type=int, default=1200)
    parser.add_argument("--detector", choices=DETECTORS, default=DETECTORS[0])
    parser.add_argument("--detector-model", type=Path)
    parser.add_argument("--coarse", action="store_true", help="believe the detector's own landmarks")
    options = parser.parse_args()
    public = read_faces(options.data / "fer2013" / "fer2013plus.parquet")["PublicTest"]
    entry = resolve("expression")
    answers = truth_of(public, entry.head)
    rows = np.random.default_rng(0).permutation(np.flatnonzero(answers.counted))[: options.faces]
    classifier = ExpressionClassifier.of(entry)
    detector = load_detector(options.detector, options.detector_model)
    network = None if options.coarse else load_landmarks()
    print(
        f"{'tilt':>5} {'found':>11} {'the picture':>12} {'not turned':>11} {'upright':>8}  accuracy, %; roll as read"
    )
    for degrees in TILTS:
        pictures, plain, upright, labels, rolls = [], [], [], [], []
        for row in rows:
            canvas = tilted(public.images[row], degrees)
            face = central(detector.detect(canvas))
            if face is None:
                continue
            if network is not None:
                (face,) = network.refine(canvas, [face])
            level = replace(face, landmarks=np.zeros((5, 2), np.float32))
            pictures.append(public.images[row])
            plain.append(crop_face(canvas, level, entry.crop, entry.input_size))
            upright.append(crop_face(canvas, face, entry.crop, entry.input_size))
            labels.append(answers.labels[row])
            rolls.append(np.degrees(upright_angle(face.landmarks)))
        truth = np.array(labels)
        shares = [
            100 * float((classifier.classify(np.stack(crops)).argmax(axis=1) == truth).mean())
            for crops in (pictures, plain, upright)
        ]
        print(
            f"{degrees:>5} {len(truth):>5} of {len(rows):>4} {shares[0]:12.1f} {shares[1]:11.1f} {shares[2]:8.1f}"
            f"{'':14}{np.median(rolls):+.1f} +/- {np.std(rolls):.1f}"
        )


if __name__ == "__main__":
    main()
