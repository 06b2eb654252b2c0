"""Time of one attention update of a full gallery, over three hours of two-second intervals.

Run from the repository: `python benchmarks/attention_speed.py`
"""

import time
from datetime import UTC, datetime, timedelta

import numpy as np

from engagement.attention import AttentionTracker
from engagement.records import Reading, State

SEATS, INTERVAL, HOURS = 49, 2.0, 3.0
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def main() -> None:
    generator = np.random.default_rng(1)
    expected = np.array([0.3, 0.1, 0.2, 0.6, 0.5, 0.3, 4.0])
    frames = [
        tuple(
            Reading(seat + 1, seat, State.SEEN, row, 0.0, 0.0, 0.8)
            for seat, row in enumerate(generator.dirichlet(expected, SEATS).astype(np.float32))
        )
        for _ in range(200)
    ]
    tracker, times = AttentionTracker(zone=UTC), []
    for step in range(int(HOURS * 3600 / INTERVAL)):
        began = time.process_time()
        tracker.update(frames[step % 200], (), START + timedelta(seconds=INTERVAL * step), INTERVAL)
        times.append(time.process_time() - began)
    milliseconds = 1000 * np.array(times)
    print(f"{SEATS} seats, {len(times)} intervals, processor time per update:")
    print(f"median {np.median(milliseconds):.2f} ms, 99 % {np.percentile(milliseconds, 99):.2f} ms", end=", ")
    print(f"slowest {milliseconds.max():.2f} ms")


if __name__ == "__main__":
    main()
