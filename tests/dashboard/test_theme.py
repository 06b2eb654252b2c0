import pytest

from dashboard.theme import PALETTES, Scheme, contrast, css_variables, template
from engagement.emotion import EXPRESSIONS
from engagement.records import State


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_series_colours_have_a_contrast_of_three_to_one(scheme: Scheme) -> None:
    palette = PALETTES[scheme]
    colours = [
        palette.mood,
        palette.low,
        palette.note,
        *palette.expressions.values(),
        *palette.states.values(),
    ]
    for colour in colours:
        for ground in (palette.page, palette.card):
            assert contrast(colour, ground) >= 3, (scheme, colour, ground)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_writing_can_be_read(scheme: Scheme) -> None:
    palette = PALETTES[scheme]
    for ground in (palette.page, palette.card):
        assert contrast(palette.text, ground) >= 7
        assert contrast(palette.muted, ground) >= 4.5
        # names of cards and notices are written in these
        assert contrast(palette.low, ground) >= 3
        assert contrast(palette.mood, ground) >= 4.5


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_expression_and_state_has_its_own_colour(scheme: Scheme) -> None:
    palette = PALETTES[scheme]
    assert set(palette.expressions) == set(EXPRESSIONS)
    assert set(palette.states) == set(State)
    assert len(set(palette.expressions.values())) == len(EXPRESSIONS)
    assert len(set(palette.states.values())) == len(State)


def test_pages_and_charts_share_their_colours() -> None:
    sheet = css_variables()
    assert f"--cp-mood: {PALETTES['dark'].mood};" in sheet
    assert "--cp-state-turned-away:" in sheet
    assert template("dark")["layout"]["font"]["color"] == PALETTES["dark"].muted
    assert template("light")["layout"]["font"]["color"] == PALETTES["light"].muted
