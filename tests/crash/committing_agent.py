"""An agent that commits as fast as it can and says so; the test kills it (run as a program)."""

import os
import sys
from datetime import UTC, datetime, timedelta

import numpy as np

from engagement.records import Episode, IntervalRecord, Mode, Mood, Reading, Rule, Seat, State
from storage.database import open_database
from storage.recorder import NewSession, Recorder

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SEATS = 25


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main() -> None:
    engine = open_database(sys.argv[1])
    recorder = Recorder(engine)
    session_id = recorder.open_session(
        NewSession("Crash", Mode.INDIVIDUAL, 2.0, "demo", START, "committing agent", os.getpid())
    )
    say("session", session_id)
    probabilities = np.full(7, 1 / 7, dtype=np.float32)
    seats = tuple(Seat(n, f"Student {n}", f"f{n}") for n in range(1, SEATS + 1))
    readings = tuple(Reading(n, n - 1, State.SEEN, probabilities, 0.0, 0.0, 1.0) for n in range(1, SEATS + 1))
    index = 0
    while True:
        at = START + timedelta(seconds=2 * index)
        interval_id = recorder.commit(
            IntervalRecord(
                session_id=session_id,
                started_at=at,
                seconds=2.0,
                tiles=SEATS,
                faces=SEATS,
                faces_read=SEATS,
                states={State.SEEN: SEATS},
                expressions={"neutral": SEATS},
                mood=Mood(0.0, 0.0, -0.1, 0.1, SEATS),
                facing=1.0,
                readings=readings,
                seats=seats,
                episodes=(Episode(Rule.LOW_MOOD, 1, f"Negative for {index}", START, None, {}),),
            )
        )
        # said only once it is committed
        say("committed", interval_id)
        index += 1


if __name__ == "__main__":
    main()
