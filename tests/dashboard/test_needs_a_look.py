"""Needs a look: cards per seat, the teacher's answers, and what is said where nobody asks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from dash import html, no_update
from page_answers import LOOK, ask, look, shown
from seed import Lesson, seed
from sqlalchemy import Engine

from dashboard.components import looks
from dashboard.components.looks import BACK_AFTER, cameras_off, cards, look_card, set_aside
from dashboard.health import take_pulse
from dashboard.live import attention, chart
from dashboard.live.pulse import PULSE, Running, pulse_data
from dashboard.live.unchanged import Drawn, only_changed
from dashboard.pages import now
from dashboard.wording import Advice
from engagement.records import EpisodeMark, Mode, NotObservedReason, Rule
from storage import queries
from storage.marks import mark_episodes

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NOW = START + timedelta(minutes=10)
PARIS = ZoneInfo("Europe/Paris")
NO_READINGS = pd.DataFrame({"seat": [], "started_at": pd.to_datetime([], utc=True), "state": []})


def make_episodes(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Open episodes of (rule, seat, minute, mark, minute of the mark); the last two may be left out."""
    full = [(*row, None, None)[:5] for row in rows]
    return pd.DataFrame(
        {
            "id": range(1, len(full) + 1),
            "rule": [str(row[0]) for row in full],
            "seat": pd.array([row[1] for row in full], dtype="Int64"),
            "reason": [f"reason {n}" for n in range(1, len(full) + 1)],
            "started_at": pd.to_datetime([START + timedelta(minutes=row[2]) for row in full], utc=True),
            "ended_at": pd.to_datetime([None] * len(full), utc=True),
            "mark": pd.Series([None if row[3] is None else str(row[3]) for row in full], dtype="str"),
            "marked_at": pd.to_datetime(
                [None if row[4] is None else START + timedelta(minutes=row[4]) for row in full], utc=True
            ),
        }
    )


def test_two_rules_on_one_seat_are_one_card_with_both_reasons() -> None:
    found = cards(make_episodes((Rule.ABSENT, 2, 3), (Rule.TURNED_AWAY, 3, 5), (Rule.LOW_MOOD, 2, 7)), NOW)
    assert [(card.seat, card.ids) for card in found] == [(2, [3, 1]), (3, [2])]
    text = shown(look_card(found[0], "Ben", NO_READINGS, NOW, "light", PARIS))
    assert text.count("Ben") == 1
    assert text.index("reason 3 since 10:07 (3 min)") < text.index("reason 1 since 10:03 (7 min)")
    assert "back in 5 min" in text


def test_cards_come_by_how_recent_and_cameras_off_apart() -> None:
    episodes = make_episodes(
        (Rule.CAMERA_OFF, 1, 9), (Rule.ABSENT, 2, 3), (Rule.CLASS_DIP, None, 5), (Rule.TURNED_AWAY, 3, 7)
    )
    assert [card.seat for card in cards(episodes, NOW)] == [3, None, 2]
    quiet = shown(cameras_off(episodes, {1: "Ada"}, PARIS))
    assert quiet == "1 camera off for long Ada since 10:09"
    assert cameras_off(episodes.iloc[1:], {}, PARIS) is None


def test_seen_leaves_the_list_until_something_new() -> None:
    old = (Rule.ABSENT, 2, 3, EpisodeMark.SEEN, 4)
    (card,) = cards(make_episodes(old), NOW)
    assert (card.asking, card.back_at, card.seen_at) == (0, None, START + timedelta(minutes=4))
    assert shown(set_aside([card], {2: "Ben"}, PARIS)) == "Ben seen 10:04 Undo"
    (again,) = cards(make_episodes(old, (Rule.LOW_MOOD, 2, 9)), NOW)
    assert (again.asking, again.ids) == (1, [2])
    text = shown(look_card(again, "Ben", NO_READINGS, NOW, "light", PARIS))
    # what was seen is told beside it, as seen
    assert "reason 1 since 10:03 (7 min), seen" in text


def test_not_now_steps_back_for_five_minutes() -> None:
    episodes = make_episodes((Rule.ABSENT, 2, 3, EpisodeMark.NOT_NOW, 8))
    marked = START + timedelta(minutes=8)
    (card,) = cards(episodes, NOW)
    assert (card.asking, card.back_at) == (0, marked + BACK_AFTER)
    assert shown(set_aside([card], {2: "Ben"}, PARIS)) == "Ben back at 10:13 Undo"
    (before,) = cards(episodes, marked + BACK_AFTER - timedelta(seconds=1))
    (after,) = cards(episodes, marked + BACK_AFTER)
    assert (before.asking, after.asking) == (0, 1)


def test_what_was_answered_stands_below_what_asks() -> None:
    found = cards(make_episodes((Rule.ABSENT, 2, 9, EpisodeMark.SEEN, 9.5), (Rule.ABSENT, 3, 1)), NOW)
    assert [card.seat for card in found] == [3, 2]


HERE = Running(
    session=1,
    mode=Mode.INDIVIDUAL,
    last_id=9,
    begun_at=START,
    taken_at=NOW,
    committed_at=NOW,
    unknown=None,
    known_until=None,
)


@pytest.mark.parametrize(
    ("here", "asking", "read", "title", "words"),
    [
        (HERE, 0, (23, 27), "Nobody needs a look", "All calm 23 of 27 seats were read"),
        (HERE, 2, (23, 27), "2 need a look", ""),
        (HERE, 0, (13, 27), "Too little to tell", "Only 13 of 27 seats were read"),
        (HERE, 1, (13, 27), "1 needs a look", ""),
        (HERE, 0, None, "Nothing is known", "Nobody is shown"),
        (
            replace(HERE, begun_at=NOW - timedelta(seconds=90)),
            0,
            (27, 27),
            "Too early to tell",
            "two minutes",
        ),
        (replace(HERE, mode=Mode.AGGREGATE), 0, (23, 27), "The class as a whole", "23 of 27 seats were read"),
        (replace(HERE, mode=Mode.PARTICIPATION), 0, (23, 27), "Needs a look", "Not looked for"),
        (
            replace(HERE, unknown=Advice("Paused", "x"), known_until=NOW),
            0,
            (23, 27),
            "Needs a look",
            "Nothing is known since 10:10 Paused.",
        ),
        (
            replace(HERE, unknown=Advice("Another window covers the gallery", "x"), known_until=NOW),
            3,
            (23, 27),
            "Needs a look",
            "What asked for a look then stands below.",
        ),
        (
            replace(HERE, unknown=Advice("x", "x"), taken_at=None),
            0,
            None,
            "Needs a look",
            "Nothing is known yet",
        ),
    ],
)
def test_calm_is_claimed_of_no_more_than_was_read(
    here: Running, asking: int, read: tuple[float, float] | None, title: str, words: str
) -> None:
    heading, said = attention.standing(here, asking, read, PARIS)
    assert heading == title
    assert words in shown(said)
    calm = said is not None and "cp-claim" in said.className
    assert calm == (
        here.unknown is None and asking == 0 and read == (23, 27) and "Not looked" not in shown(said)
    )


@pytest.fixture
def live(engine: Engine) -> Lesson:
    return seed(engine, minutes=8, interval=10)


def listed(engine: Engine, drawn: Any = None) -> Any:
    """What the page gets: the parts that changed per name, the open episodes, and the signatures."""
    answer = look(engine, drawn)
    changed = {
        part: str(next(iter(answer[part].values())))
        for part in (one.partition(".")[0] for one in LOOK)
        if part in answer and part not in {attention.ASKING, now.DRAWN}
    }
    asking = answer.get(attention.ASKING, {}).get("data")
    return changed, asking, answer[now.DRAWN]["data"]


def test_an_answer_on_the_page_is_kept_and_can_be_undone(engine: Engine, live: Lesson) -> None:
    changed, asking, _ = listed(engine)
    assert changed[attention.LOOKS_HEADING].endswith(" a look")
    before = len(asking["episodes"])
    assert before >= 2
    assert not asking["quiet"]
    open_now = queries.episodes(engine, live.session_id, open_only=True)
    chosen = open_now[open_now["rule"] != "camera_off"].iloc[0]
    for mark, words in (("seen", "seen "), ("not_now", "back at "), ("", "back in 5 min")):
        ask(
            engine,
            [f"{attention.ANSWERED}.data", f"{attention.LOOKS_ANSWER}.children"],
            {f"{attention.ANSWER}.data": {"mark": mark, "episodes": [str(chosen["id"])]}},
            {
                f"{PULSE}.data": pulse_data(take_pulse(engine), datetime.now(UTC)),
                f"{attention.ANSWERED}.data": 0,
            },
        )
        kept = queries.episodes(engine, live.session_id).set_index("id").loc[chosen["id"]]
        assert (None if pd.isna(kept["mark"]) else kept["mark"]) == (mark or None)
        assert pd.isna(kept["marked_at"]) == (mark == "")
        changed, asking, _ = listed(engine)
        assert words in changed[attention.LOOKS] + changed[attention.ASIDE]
        # the browser knows it already: it rings for new ones only
        assert len(asking["episodes"]) == before


def test_what_looks_the_same_is_left_alone(engine: Engine, live: Lesson) -> None:
    _, _, drawn = listed(engine)
    assert listed(engine, drawn)[:2] == ({}, None)
    ids = queries.episodes(engine, live.session_id, open_only=True)["id"].tolist()
    mark_episodes(engine, live.session_id, ids, EpisodeMark.SEEN, datetime.now(UTC))
    changed, asking, _ = listed(engine, drawn)
    assert set(changed) == {
        *(attention.LOOKS_HEADING, attention.LOOKS_SAID, attention.LOOKS, attention.ASIDE, attention.SEATS)
    }
    # the cameras that are off are the same, and so is what the browser rings for
    assert asking is None


def test_a_part_is_made_only_where_it_would_look_different() -> None:
    made: list[str] = []

    def card(reason: str, moment: int) -> Drawn:
        def draw() -> str:
            made.append(reason)
            return reason

        return Drawn([html.Li(reason, id="one"), moment], draw)

    (first,), known = only_changed({"list": card("x", 1)}, None)
    assert first == "x"
    assert only_changed({"list": card("x", 1)}, known)[0] == [no_update]
    assert made == ["x"]
    assert only_changed({"list": card("x", 2)}, known)[0] == ["x"]
    assert only_changed({"list": card("y", 1)}, known)[0] == ["y"]
    (_, text), known = only_changed({"list": None, "text": "x"}, None)
    assert text == "x"
    assert only_changed({"list": None, "text": "x"}, known)[0] == [no_update, no_update]
    assert only_changed({"list": None, "text": "y"}, known)[0] == [no_update, "y"]


def test_while_nothing_is_known_the_list_says_so_and_stays_quiet(engine: Engine, live: Lesson) -> None:
    live.commit(NotObservedReason.COVERED)
    changed, asking, _ = listed(engine)
    assert changed[attention.LOOKS_HEADING] == "Needs a look"
    assert "Nothing is known since" in changed[attention.LOOKS_SAID]
    assert "Another window covers the gallery." in changed[attention.LOOKS_SAID]
    assert "All calm" not in changed[attention.LOOKS_SAID]
    assert asking["quiet"]


def test_a_dip_that_lasts_is_shaded_until_now() -> None:
    episodes = make_episodes((Rule.CLASS_DIP, None, 1), (Rule.ABSENT, 2, 2))
    end = START + timedelta(minutes=9)
    assert chart.dips(episodes, end) == [(START + timedelta(minutes=1), end)]


def test_the_class_has_a_card_of_its_own() -> None:
    (card,) = cards(make_episodes((Rule.CLASS_DIP, None, 5)), NOW)
    assert looks.who(card.seat, {1: "Ada"}) == "The class"
