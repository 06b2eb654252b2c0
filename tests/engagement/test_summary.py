"""The session in sentences: what they say, and what they refrain from saying."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engagement.emotion import EXPRESSIONS
from engagement.records import Rule
from engagement.summary import SessionSummary, summarise

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def clock(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def lesson(
    mood: Callable[[float], float | None],
    minutes: float = 50,
    interval: float = 2.0,
    tiles: int = 27,
    read: int = 23,
    half_band: float = 0.06,
    noise: float = 0.02,
    blind: tuple[float, float] = (0, 0),
    expressive: bool = True,
    facing: float | None = 0.9,
) -> pd.DataFrame:
    """Intervals as storage gives them; `mood` by minutes, None where too few faces were read."""
    generator = np.random.default_rng(4)
    rows: list[dict[str, Any]] = []
    for step in range(int(minutes * 60 / interval)):
        minute = step * interval / 60
        seen = not blind[0] <= minute < blind[1]
        value = mood(minute) if seen and expressive else None
        valence = None if value is None else value + generator.normal(0, noise)
        rows.append(
            {
                "started_at": clock(minute),
                "seconds": interval,
                "not_observed": None if seen else "covered",
                "tiles": tiles if seen else 0,
                "faces": read if seen else 0,
                "faces_read": read if seen and expressive else 0,
                "n_seen": read if seen else 0,
                "valence": valence,
                "low": None if valence is None else valence - half_band,
                "high": None if valence is None else valence + half_band,
                "facing": facing if seen else None,
                **dict.fromkeys(EXPRESSIONS, 3 if seen and expressive else None),
            }
        )
    return pd.DataFrame(rows).astype(
        {
            "not_observed": "str",
            **dict.fromkeys(("valence", "low", "high", "facing"), "float64"),
            **dict.fromkeys(EXPRESSIONS, "Int64"),
            "started_at": "datetime64[us, UTC]",
        }
    )


def episodes(*rows: tuple[Rule, int | None, float, float | None]) -> pd.DataFrame:
    table = pd.DataFrame(
        [
            {
                "rule": str(rule),
                "seat": seat,
                "started_at": clock(start),
                "ended_at": None if end is None else clock(end),
            }
            for rule, seat, start, end in rows
        ],
        columns=["rule", "seat", "started_at", "ended_at"],
    )
    return table.astype(
        {
            "rule": "str",
            "seat": "Int64",
            "started_at": "datetime64[us, UTC]",
            "ended_at": "datetime64[us, UTC]",
        }
    )


def notes(*rows: tuple[float, str]) -> pd.DataFrame:
    table = pd.DataFrame([{"at": clock(at), "text": text} for at, text in rows], columns=["at", "text"])
    return table.astype({"at": "datetime64[us, UTC]", "text": "str"})


def summary(
    intervals: pd.DataFrame, seats: pd.DataFrame | None = None, said: pd.DataFrame | None = None
) -> SessionSummary:
    return summarise(
        intervals, episodes() if seats is None else seats, notes() if said is None else said, zone=UTC
    )


def dipping(*spans: tuple[float, float], depth: float = -0.2, usual: float = 0.1) -> Callable[[float], float]:
    return lambda minute: usual + depth * any(start <= minute < end for start, end in spans)


def test_a_level_lesson() -> None:
    result = summary(lesson(lambda _: 0.12))
    assert result.sentences == (
        "Observed for 50 min with 27 seats shown; on average 85 % of the seats could be read.",
        "The mood stayed about level, around +0.12.",
        "No low moment stood out.",
        "Of the faces seen, 90 % faced the screen.",
    )
    assert result.low_moments == ()
    assert result.seats == 27
    assert result.coverage == pytest.approx(23 / 27)
    assert result.facing == pytest.approx(0.9)
    assert result.mood == pytest.approx(0.12, abs=0.01)


@pytest.mark.parametrize("interval", [0.5, 2.0, 10.0, 30.0])
def test_low_moments_are_numbered_in_time_with_size_and_note(interval: float) -> None:
    said = notes((0.5, "hello"), (20.5, "=quiz announced"), (24.2, "explained again"), (40.0, "break"))
    result = summary(lesson(dipping((20, 23), (38.2, 42)), interval=interval), said=said)
    first, second = result.low_moments
    assert (first.number, second.number) == (1, 2)
    assert abs(first.start - clock(20)) <= timedelta(seconds=interval + 2)
    assert abs(first.end - clock(23)) <= timedelta(seconds=interval + 2)
    assert first.size == pytest.approx(-0.2, abs=0.02)
    assert first.note == "=quiz announced · explained again"
    assert second.note == "break"
    assert "There were 2 low moments, the longest at 09:38 for 4 min." in result.sentences


def test_a_short_or_shallow_dip_is_no_low_moment() -> None:
    assert not summary(lesson(dipping((20, 20.8)))).low_moments
    assert not summary(lesson(dipping((20, 25), depth=-0.05))).low_moments


def test_a_dip_inside_the_band_is_not_claimed() -> None:
    assert len(summary(lesson(dipping((20, 25)), half_band=0.1)).low_moments) == 1
    assert not summary(lesson(dipping((20, 25)), half_band=0.3)).low_moments


def test_a_blip_does_not_split_a_low_moment_and_a_gap_ends_it() -> None:
    assert len(summary(lesson(dipping((20, 22), (22.3, 24)))).low_moments) == 1
    (moment,) = summary(lesson(dipping((20, 40)), blind=(22, 38.5))).low_moments[:1]
    assert moment.end == clock(22)


def test_a_class_dip_is_a_low_moment_though_the_line_moves_little() -> None:
    table = lesson(dipping((30, 32), depth=-0.07))
    assert not summary(table).low_moments
    (moment,) = summary(table, episodes((Rule.CLASS_DIP, None, 30, 32))).low_moments
    assert (moment.start, moment.end) == (clock(30), clock(32))
    assert moment.size < 0


def test_a_class_dip_and_the_line_merge() -> None:
    result = summary(lesson(dipping((30, 33))), episodes((Rule.CLASS_DIP, None, 29.8, 32)))
    (moment,) = result.low_moments
    assert moment.start == clock(29.8)
    assert abs(moment.end - clock(33)) <= timedelta(seconds=4)


def test_an_open_class_dip_lasts_to_the_end() -> None:
    (moment,) = summary(lesson(dipping((48, 50))), episodes((Rule.CLASS_DIP, None, 48, None))).low_moments
    assert moment.end == clock(50)


def test_rise_and_fall_are_told_only_beyond_the_band() -> None:
    falling = summary(lesson(lambda minute: 0.2 - 0.006 * minute))
    assert re.fullmatch(
        r"The mood fell from \+0\.1\d in the first third to −0\.0\d in the last\.", falling.sentences[1]
    )
    assert "rose" in summary(lesson(lambda minute: 0.006 * minute)).sentences[1]
    unsure = summary(lesson(lambda minute: 0.2 - 0.006 * minute, half_band=0.4))
    assert "about level" in unsure.sentences[1]


def test_words_shrink_with_coverage() -> None:
    half = summary(lesson(lambda _: 0.1, read=10))
    assert half.sentences[1].startswith("Among those who could be read, the mood")
    few = summary(lesson(lambda minute: 0.1 if minute < 10 else None))
    assert few.sentences[1] == (
        "Enough faces for a mood were read in 10 min of 50 min: too little to say how it moved."
    )
    assert not any("low moment" in sentence for sentence in few.sentences)
    none = summary(lesson(lambda _: None, read=4))
    assert (
        none.sentences[1] == "The mood of the class cannot be told: it takes 5 faces read at the same time."
    )
    assert (none.mood, none.low_moments) == (None, ())


def test_a_band_as_wide_as_the_scale_is_not_read() -> None:
    table = lesson(dipping((20, 30)))
    table[["low", "high"]] = [-1.0, 1.0]
    result = summary(table)
    assert (result.mood, result.low_moments) == (None, ())


def test_time_that_was_not_observed_is_said_and_not_counted() -> None:
    result = summary(lesson(lambda _: 0.1, blind=(10, 14)))
    assert result.sentences[0] == (
        "Observed for 46 min with 27 seats shown; on average 85 % of the seats could be read. "
        "For 4 min nothing was observed."
    )
    assert (result.seconds, result.not_observed) == (46 * 60, 240)


def test_time_that_no_interval_tells_of_was_not_observed_either() -> None:
    whole = lesson(lambda _: 0.1)
    minutes = (whole["started_at"] - whole["started_at"].iloc[0]).dt.total_seconds() / 60
    slept = summary(whole[(minutes < 10) | (minutes >= 14)])
    assert (slept.seconds, slept.not_observed) == (46 * 60, 240)
    late = whole.assign(
        started_at=whole["started_at"] + pd.to_timedelta(np.arange(len(whole)) % 2 * 0.4, unit="s")
    )
    assert summary(late).not_observed == 0


def test_without_expressions_nothing_is_said_of_the_mood() -> None:
    result = summary(lesson(lambda _: 0.1, expressive=False))
    assert result.sentences == (
        "Observed for 50 min with 27 seats shown; on average 85 % of the seats could be seen.",
        "Of the faces seen, 90 % faced the screen.",
    )


def test_seats_are_counted_and_never_named_or_ranked() -> None:
    table = episodes(
        (Rule.ABSENT, 3, 5, 8),
        (Rule.ABSENT, 3, 20, 22),
        (Rule.ABSENT, 9, 30, None),
        (Rule.LOW_MOOD, 3, 31, 35),
        (Rule.CAMERA_OFF, 12, 0, None),
    )
    result = summary(lesson(lambda _: 0.1), table)
    assert result.sentences[-1] == "2 seats called for a look: no face on 2, negative expression on 1."
    assert not re.search(r"bored|feel|worst|score|rank|grade", " ".join(result.sentences).lower())


def test_empty_and_unobserved_sessions() -> None:
    nothing = summary(lesson(lambda _: 0.1, minutes=0.1).iloc[:0])
    assert nothing.sentences == ("Nothing was recorded in this session.",)
    blind = summary(lesson(lambda _: 0.1, minutes=10, blind=(0, 10)))
    assert blind.sentences == ("Nothing was observed in the 10 min of this session.",)
    empty = summary(lesson(lambda _: None, minutes=5, tiles=0, read=0, facing=None))
    assert empty.sentences[0] == "Observed for 5 min; no seat was shown."


def test_any_noise_gives_moments_in_order_and_apart() -> None:
    for seed in range(4):
        generator = np.random.default_rng(seed)
        walk = np.cumsum(generator.normal(0, 0.03, 400)) * 0.5
        result = summary(
            lesson(
                lambda minute, walk=walk: float(np.clip(walk[int(minute * 8)], -0.8, 0.8)),
                interval=5,
                half_band=0.05,
            )
        )
        ends = [moment.end for moment in result.low_moments]
        starts = [moment.start for moment in result.low_moments]
        assert all(start < end for start, end in zip(starts, ends, strict=True))
        assert all(start > end for start, end in zip(starts[1:], ends, strict=False))
        assert all(moment.size < 0 for moment in result.low_moments)
        assert [moment.number for moment in result.low_moments] == list(range(1, len(ends) + 1))


@pytest.mark.parametrize("read", [1, 5, 9])
def test_few_of_many_do_not_speak_for_the_class(read: int) -> None:
    result = summary(lesson(dipping((20, 30)), tiles=49, read=read), episodes((Rule.CLASS_DIP, None, 30, 32)))
    said = " ".join(result.sentences)
    assert (result.low_moments, result.tells_course) == ((), False)
    assert f"The {read / 49:.0%} of the seats that were read are too few".replace("%", " %") in said
    assert not re.search(r"rose|fell|level|low moment", said)


def test_ten_of_49_speak_for_themselves() -> None:
    result = summary(lesson(dipping((20, 30)), tiles=49, read=10))
    assert result.sentences[1].startswith("Among those who could be read, the mood")
    assert (len(result.low_moments), result.tells_course) == (1, True)


@pytest.mark.parametrize("minutes", [2 / 60, 6 / 60, 2.9])
def test_a_short_session_says_how_short_and_no_more(minutes: float) -> None:
    table = lesson(lambda minute: 0.3 - 0.2 * minute, minutes=minutes)
    result = summary(table, episodes((Rule.CLASS_DIP, None, 0, None)))
    said = " ".join(result.sentences)
    assert (result.low_moments, result.tells_course) == ((), False)
    assert "too little to say how it moved" in said
    assert re.search(r"Of the faces seen in \d (s|min), 90 % faced the screen", said)
    assert not re.search(r"rose|fell|level|low moment", said)


def test_three_people_are_three_people() -> None:
    table = lesson(lambda _: 0.4, tiles=3, read=3)
    table[["low", "high"]] = [-1.0, 1.0]
    assert summary(table).sentences == (
        "Observed for 50 min with 3 seats shown; on average 100 % of the seats could be read.",
        "The mood of the class cannot be told: it takes 5 faces read at the same time.",
        "Of the faces seen, about 3 at a time, 90 % faced the screen.",
    )
    assert summary(table).mood is None


def test_who_faces_away_is_one_of_the_faces() -> None:
    table = lesson(lambda _: None, read=1, facing=0.04, expressive=False).assign(faces=25)
    assert summary(table).sentences[-1] == "Of the faces seen, 4 % faced the screen."


def test_nobody_read_and_one_face_for_a_moment() -> None:
    nobody = summary(lesson(lambda _: None, read=0, facing=None))
    assert nobody.sentences == (
        "Observed for 50 min with 27 seats shown; on average 0 % of the seats could be read.",
        "The mood of the class cannot be told: it takes 5 faces read at the same time.",
    )
    table = lesson(lambda _: None, read=0, facing=None)
    table.loc[3, ["faces", "n_seen", "faces_read", "facing"]] = [1, 1, 1, 1.0]
    assert summary(table).sentences[0].endswith("on average under 1 % of the seats could be read.")
    assert (
        summary(table).sentences[-1] == "Of the faces seen in 2 s, about 1 at a time, 100 % faced the screen."
    )


def test_what_was_seen_for_a_third_of_the_lesson_speaks_of_that_third() -> None:
    result = summary(lesson(lambda minute: 0.3 - 0.01 * minute, minutes=60, blind=(10, 50)))
    assert "For 40 min nothing was observed." in result.sentences[0]
    assert result.sentences[1].startswith("The mood in the 20 min that were read fell")
    level = summary(lesson(lambda _: 0.1, minutes=60, blind=(10, 50)))
    assert level.sentences[2] == "No low moment stood out in that time."


def test_seats_that_were_shown_for_a_moment_are_no_class_of_nobody() -> None:
    table = lesson(lambda _: 0.1, minutes=10)
    table.loc[30:, ["tiles", "n_seen", "faces_read"]] = 0
    table.loc[30:, ["valence", "low", "high", "facing"]] = np.nan
    assert summary(table).sentences[0] == (
        "Observed for 10 min, of which 1 min showed 27 seats; on average 85 % of these could be read."
    )


def test_a_low_moment_of_few_is_not_told_though_the_class_was_read() -> None:
    table = lesson(dipping((20, 30)), tiles=49, read=40)
    inside = (table["started_at"] >= clock(20)) & (table["started_at"] < clock(30))
    assert len(summary(table).low_moments) == 1
    table.loc[inside, "n_seen"] = 6
    assert summary(table).low_moments == ()


def test_nearly_all_is_not_all() -> None:
    table = lesson(lambda _: 0.1, tiles=27, read=27)
    table.loc[0, "n_seen"] = 26
    assert "over 99 % of the seats could be read" in summary(table).sentences[0]
