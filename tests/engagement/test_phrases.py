"""Words for counts, shares and lengths of time."""

import pytest

from engagement.phrases import count, duration, percent, signed


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (2730, "46 min"),
        (3569, "59 min"),
        (3599, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (0.004, "under 1 %"),
        (0.914, "91 %"),
        (0.994, "99 %"),
        (0.9958, "over 99 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_is_called_none_or_all_only_where_it_is(share: float, text: str) -> None:
    assert percent(share) == text


def test_figures_and_counts() -> None:
    assert (signed(0.123), signed(-0.05), signed(-0.001)) == ("+0.12", "−0.05", "0.00")
    assert (count(1, "seat"), count(3, "seat"), count(2, "needs", "need")) == ("1 seat", "3 seats", "2 need")
