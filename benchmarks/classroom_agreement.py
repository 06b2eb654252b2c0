"""How the product reads its own synthetic class: faces found, head turned, expression as scripted.

    python benchmarks/classroom_agreement.py [--seats 27] [--frames 24] [--yunet FILE] [--posed]

The seeded run takes frames of the first round of the script. `--posed` shows every composite head in every expression
instead, one expression per frame, which says more of the rare ones.
"""

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np

from capture.class_script import ROUND, Act, Script
from capture.classroom import Classroom
from capture.gallery import label_strip
from engagement.emotion import EXPRESSIONS
from engagement.records import State, Tile
from inference.reader import load_reader


class Posed(Script):
    """Everybody shows the same: second 0 is the first of `EXPRESSIONS`, and so on; then everybody looks away."""

    def act(self, seat: int, at: float) -> Act:
        index = int(at)
        if index >= len(EXPRESSIONS):
            return Act(True, State.TURNED_AWAY, yaw=58.0 if seat % 2 else -58.0)
        return Act(True, State.SEEN, EXPRESSIONS[index], 1.0, yaw=8.0 * (seat % 3 - 1))

    def speaker(self, at: float) -> int | None:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seats", type=int, default=27)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--size", type=int, nargs=2, default=(1920, 1080))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--yunet", type=Path, default=None)
    parser.add_argument("--posed", action="store_true")
    options = parser.parse_args()
    reader = load_reader(
        detector="yunet" if options.yunet else "tileface", detector_model=options.yunet, keep_names=False
    )
    script = Posed(options.seats, options.seed) if options.posed else None
    classroom = Classroom(options.seats, *options.size, seed=options.seed, script=script)
    moments = np.arange(8) + 0.5 if options.posed else np.linspace(5, ROUND - 5, options.frames)
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in (*EXPRESSIONS, "turned")}
    found = on_camera = false = drawing = 0.0
    for at in moments:
        started = time.process_time()
        image = classroom.draw(float(at))
        drawing += time.process_time() - started
        truths = classroom.truth(float(at))
        tiles = [Tile(t.box, label_strip(t.box), t.state is not State.CAMERA_OFF) for t in truths]
        for truth, reading in zip(truths, reader.read(image, tiles).readings, strict=True):
            if truth.state is State.NO_FACE:
                false += reading.face is not None
            if truth.state is State.TURNED_AWAY:
                counts["turned"][str(reading.state)] += 1
            if truth.state not in (State.SEEN, State.TURNED_AWAY):
                continue
            on_camera += 1
            found += reading.face is not None
            if truth.state is State.SEEN and truth.expression is not None and truth.strength == 1.0:
                read = reading.probabilities
                answer = EXPRESSIONS[int(read.argmax())] if read is not None else str(reading.state)
                counts[truth.expression][answer] += 1
    print(
        f"faces found {found:.0f} of {on_camera:.0f} on camera ({found / on_camera:.1%}), {false:.0f} in empty rooms"
    )
    print(f"drawing {drawing / len(moments) * 1000:.0f} ms of CPU per frame, the first one included")
    print(f"{'script':9} {'n':>4} {'agree':>6} {'of read':>8}  read as")
    for kind, said in counts.items():
        total = sum(said.values())
        if not total:
            continue
        right = said["turned_away"] if kind == "turned" else said[kind]
        read_count = sum(said[expression] for expression in EXPRESSIONS)
        share = f"{said[kind] / read_count:8.0%}" if kind != "turned" and read_count else " " * 8
        print(f"{kind:9} {total:4} {right / total:6.0%} {share}  {dict(said.most_common())}")


if __name__ == "__main__":
    main()
