import pytest

from engagement.label_roles import split_roles


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Maria Silva (Host, me)", "Maria Silva"),
        ("Maria Silva (me)", "Maria Silva"),
        ("Maria Silva (Me)", "Maria Silva"),
        ("Maria Silva (You)", "Maria Silva"),
        ("Anna Weber (Host, ich)", "Anna Weber"),
        ("Anna Weber (Sie)", "Anna Weber"),
        ("Chloé Dubois (Hôte, moi)", "Chloé Dubois"),
        ("Lucía Herrera (Anfitrión, yo)", "Lucía Herrera"),
        ("Marco Bianchi (Host, io)", "Marco Bianchi"),
        ("Inês Costa (Anfitrião, eu)", "Inês Costa"),
        ("Inês Costa (Você)", "Inês Costa"),
        ("Tessa de Vries (Host, ik)", "Tessa de Vries"),
        ("Julia Nowak (Gospodarz, ja)", "Julia Nowak"),
        ("Aylin Demir (Toplantı Sahibi, ben)", "Aylin Demir"),
        ("Ольга Петрова (Организатор, я)", "Ольга Петрова"),
        ("李明（主持人，我）", "李明"),
        ("李明 (我)", "李明"),
        ("田中 (ホスト, 自分)", "田中"),
        ("Jan (he/him) (Co-host, me)", "Jan"),
        ("You", "You"),
        ("Maria Silva (Host, m…", "Maria Silva"),
    ],
)
def test_a_tile_that_the_program_calls_ones_own(label: str, name: str) -> None:
    shown = split_roles(label)
    assert (shown.name, shown.own) == (name, True)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Maria Silva (Host)", "Maria Silva"),
        ("Maria Silva (Co-host, Guest)", "Maria Silva"),
        ("Anna (she/her)", "Anna"),
        ("Anna (she/her/hers)", "Anna"),
        ("Anna [they/them]", "Anna"),
        ("Anna she/her", "Anna"),
        ("Anna | sie/ihr", "Anna"),
        ("Anna (sie)", "Anna"),
        ("Anna (shelher)", "Anna"),
        ("Anna (she/her", "Anna"),
        ("Anna (elle)", "Anna"),
        ("Jan (Gast) (er/ihm)", "Jan"),
        ("Maria Silva (Co-h…", "Maria Silva"),
        ("Maria Silva (Co-ho", "Maria Silva"),
        ("Maria Silva (", "Maria Silva"),
        ("Maria Silva (Mi", "Maria Silva (Mi"),
        # what is no role and no pronoun, or may be a name, stays
        ("Sam (Kitware)", "Sam (Kitware)"),
        ("Benjamin Carter (Ben)", "Benjamin Carter (Ben)"),
        ("Nguyen (Tu)", "Nguyen (Tu)"),
        ("Anna (Host committee)", "Anna (Host committee)"),
        ("AC/DC", "AC/DC"),
        ("You Li", "You Li"),
        ("Her Majesty", "Her Majesty"),
        ("(she/her)", None),
        ("", None),
    ],
)
def test_what_stands_behind_the_name_is_left_out(label: str, name: str | None) -> None:
    shown = split_roles(label)
    assert (shown.name, shown.own) == (name, False)
