"""Where a class is and what kind of institution: which modes may be chosen there."""

from enum import StrEnum

from engagement.records import Mode


class Place(StrEnum):
    """Where the class is, as the teacher says."""

    EU = "eu"
    ELSEWHERE = "elsewhere"
    UNSAID = "unsaid"


class Institution(StrEnum):
    """What kind of institution the class belongs to, as the teacher says."""

    SCHOOL = "school"
    UNIVERSITY = "university"
    WORKPLACE = "workplace"
    OTHER = "other"
    UNSAID = "unsaid"


def modes_allowed(place: Place | None, institution: Institution | None) -> tuple[Mode, ...]:
    """The modes that may be chosen, the least curious first; only `participation` where either was not said.

    In the EU and the EEA inferring emotions is prohibited in education institutions and at workplaces (AI Act,
    Article 5(1)(f)). Which of the exceptions holds is for a lawyer to say, so there is none here.

    Args:
        place: None where nobody was asked yet.
        institution: None where nobody was asked yet.
    """
    if place is not Place.ELSEWHERE or institution in {None, Institution.UNSAID}:
        return (Mode.PARTICIPATION,)
    return tuple(Mode)
