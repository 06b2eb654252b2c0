import itertools

import pytest

from engagement.place import Institution, Place, modes_allowed
from engagement.records import Mode


@pytest.mark.parametrize(
    ("place", "institution"),
    [
        pair
        for pair in itertools.product([*Place, None], [*Institution, None])
        if pair[0] is not Place.ELSEWHERE or pair[1] in {None, Institution.UNSAID}
    ],
)
def test_only_participation_in_the_eu_and_where_it_was_not_said(
    place: Place | None, institution: Institution | None
) -> None:
    assert modes_allowed(place, institution) == (Mode.PARTICIPATION,)


@pytest.mark.parametrize("institution", [one for one in Institution if one is not Institution.UNSAID])
def test_elsewhere_the_teacher_chooses(institution: Institution) -> None:
    assert modes_allowed(Place.ELSEWHERE, institution) == tuple(Mode)
