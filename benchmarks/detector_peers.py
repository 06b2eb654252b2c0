"""Our face detector beside its peers on the same gallery in one run: faces found, time per picture, as ratios to ours.

    python -m benchmarks.detector_peers --data ../shared/data [--seats 49]

Peers: MTCNN's weights in onnxruntime (`--detector mtcnn`), the `mtcnn` package as it comes (through TensorFlow), and
YuNet from the reference folder in OpenCV.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.faces import FaceDetector, load_detector, load_landmarks
from tests.capture.synthetic_gallery import Gallery, Look, compose_gallery, portraits_of

Picture = NDArray[np.uint8]
Centres = list[tuple[float, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seats", type=int, default=49)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    people = portraits_of(arguments.data, arguments.seats, 0, "test", distance=(1.1, 2.5))
    gallery = compose_gallery(
        [person.picture for person in people], look=Look(size=(1120, 640), labels=False)
    )
    print(f"{'detector':28}{'faces':>10}{'ms':>9}{'times ours':>12}")
    ours_ms = 0.0
    for name, detect in detectors(arguments.data).items():
        found = hits(detect(gallery.image), gallery)
        times = []
        for _ in range(arguments.repeats):
            started = time.perf_counter()
            detect(gallery.image)
            times.append((time.perf_counter() - started) * 1000)
        median = statistics.median(times)
        ours_ms = ours_ms or median
        print(f"{name:28}{f'{found}/{len(people)}':>10}{median:9.0f}{median / ours_ms:12.1f}")


def detectors(data: Path) -> dict[str, Callable[[Picture], Centres]]:
    """Each takes uint8 (H, W, 3) RGB and gives the centres of the faces it found, in pixels."""
    from mtcnn import MTCNN

    package = MTCNN()
    network = load_landmarks()
    by_name = {
        "tileface (ours)": load_detector("tileface", min_face=16),
        "MTCNN in onnxruntime": load_detector("mtcnn", min_face=16),
        "YuNet (OpenCV)": load_detector("yunet", data / "reference" / "yunet_2026may.onnx"),
    }

    def by_package(image: Picture) -> Centres:
        boxes = [face["box"] for face in package.detect_faces(image, min_face_size=16, threshold_onet=0.8)]
        return [(left + width / 2, top + height / 2) for left, top, width, height in boxes]

    def by_ours(detector: FaceDetector) -> Callable[[Picture], Centres]:
        return lambda image: [face.box.centre for face in detector.detect(image)]

    ours = by_name["tileface (ours)"]

    def by_both(image: Picture) -> Centres:
        return [face.box.centre for face in network.refine(image, ours.detect(image))]

    return {
        **{name: by_ours(detector) for name, detector in by_name.items()},
        "ours with refined landmarks": by_both,
        "mtcnn 1.0.0 (TensorFlow)": by_package,
    }


def hits(centres: Centres, gallery: Gallery) -> int:
    return sum(any(box.contains(x, y) for x, y in centres) for box in gallery.boxes)


if __name__ == "__main__":
    main()
