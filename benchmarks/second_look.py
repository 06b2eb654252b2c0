"""What does a second look at the least decided faces give?

Each run answers PublicTest as it is and mirrored; of the share of faces that are least decided, the mean of both
answers counts. The table tells what the runs gain by that in the mean, in points of FER2013's labels and of FER+'s
majority. Run it with

    python -m benchmarks.second_look --data ../shared/data models/teachers/pair-*
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.expression import margins, second_looks, undecided
from models.backends import backend
from models.data import FaceSet, read_faces
from models.export import margin_of
from models.heads import LABELS, VOTES, of_head
from models.operating_point import accuracies
from models.runs import load_run, predict, read_run, wants_standardised

SHARES = (0.02, 0.05, 0.08, 0.1, 0.2, 0.4, 1.0)


def looks(run: Path, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """What a run says of grey faces uint8 (N, 48, 48), as they are and mirrored: logits (N, 7 H)."""
    network, size = load_run(run)
    forward, standardise = backend().make_forward(network), wants_standardised(read_run(run))
    return [predict(forward, seen, size, standardise=standardise) for seen in (images, images[:, :, ::-1])]


def right(logits: NDArray[np.floating[Any]], faces: FaceSet) -> NDArray[np.float64]:
    """Points of labels and of the voters' majority."""
    answers = logits.astype(np.float64)
    return 100 * np.array(
        [
            accuracies(of_head(answers, LABELS), faces)["fer2013"],
            accuracies(of_head(answers, VOTES), faces)["ferplus"],
        ]
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of fer2013/")
    parser.add_argument("runs", type=Path, nargs="+", help="folders of runs of two heads")
    options = parser.parse_args()
    faces = read_faces(options.data / "fer2013" / "fer2013plus.parquet")["PublicTest"]
    gains: dict[float, list[NDArray[np.float64]]] = {share: [] for share in SHARES}
    for run in options.runs:
        once, mirrored = looks(run, faces.images)
        before, apart = right(once, faces), margins(once)
        print(f"{run.name}: {before[0]:.1f} / {before[1]:.1f} in one look", flush=True)
        for share in SHARES:
            again = undecided(once, margin_of(apart, share))
            gains[share].append(right(second_looks(once, mirrored, again), faces) - before)
    print(f"{'looked at twice':>15} {'labels':>7} {'voters':>7}")
    for share in SHARES:
        labels, voters = np.mean(gains[share], axis=0)
        print(f"{share:15.0%} {labels:+7.2f} {voters:+7.2f}")


if __name__ == "__main__":
    main()
