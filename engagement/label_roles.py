"""What meeting programs and people write behind a name: roles, pronouns, and that the tile is one's own.

Zoom, Teams and Meet put such words in brackets in the language of the program. Only words that are known for sure are
here, and none that is also a given name stands for one's own tile by itself ("Ben" is Turkish for me, "Ty" Polish for
you): such a teacher says once which label is theirs.
"""

import re
from dataclasses import dataclass
from typing import Final

from engagement.names import clean_name

_OWN: Final = frozenset({
    "me", "you", "ich", "sie", "moi", "vous", "yo", "usted", "io", "eu", "você", "ik", "jij", "ja", "ben",
    "siz", "я", "вы", "我", "你", "您", "自分", "あなた",
})  # fmt: skip
_OWN_WITH_ROLE_ONLY: Final = frozenset({"ben", "ja", "io", "eu"})
"""Given names, or near them."""
_OWN_AS_WHOLE_LABEL: Final = frozenset({"you", "vous"})
"""What Meet writes instead of one's own name."""

_ROLES: Final = frozenset({
    # English
    "host", "co-host", "cohost", "co host", "guest", "external", "unverified", "organizer", "presenter",
    # German
    "gastgeber", "gast", "co-gastgeber", "organisator", "extern", "nicht verifiziert",
    # French
    "hôte", "co-hôte", "animateur", "co-animateur", "coanimateur", "invité", "invitée", "externe",
    "organisateur",
    # Spanish
    "anfitrión", "anfitriona", "coanfitrión", "co-anfitrión", "invitado", "invitada", "externo",
    "organizador",
    # Italian
    "ospitante", "co-ospitante", "organizzatore", "ospite", "esterno",
    # Portuguese
    "anfitrião", "anfitriã", "coanfitrião", "co-anfitrião", "convidado", "convidada",
    # Polish
    "gospodarz", "prowadzący", "współgospodarz", "współprowadzący", "gość", "organizator",
    # Turkish
    "toplantı sahibi", "oturum sahibi", "ortak toplantı sahibi", "ortak oturum sahibi", "misafir", "konuk",
    # Russian
    "организатор", "соорганизатор", "гость",
    # Chinese
    "主持人", "联席主持人", "聯席主持人", "访客", "來賓", "来宾", "组织者",
    # Japanese
    "ホスト", "共同ホスト", "ゲスト", "主催者", "開催者",
})  # fmt: skip
_USUAL: Final = frozenset({"host", "co-host", "guest"})
_LEGIBLE: Final = 4
"""Letters from which the beginning of a word tells the word; shorter ones only that of the usual roles."""
_PRONOUNS: Final = frozenset({
    # English
    "she", "her", "hers", "he", "him", "his", "they", "them", "theirs", "their", "ze", "zir", "hir", "xe",
    "xem", "any pronouns", "all pronouns",
    # German, French, Spanish
    "sie", "ihr", "er", "ihm", "ihn", "elle", "il", "lui", "iel", "elles", "ella", "él",
    # Portuguese, Italian, Dutch
    "ela", "ele", "dela", "dele", "lei", "hij", "hem", "zij", "haar", "hen", "die", "hun",
})  # fmt: skip
_BRACKET: Final = re.compile(r"\s*[(\[]\s*([^()\[\]]*?)\s*([)\]]?)\s*$")
_ELLIPSIS: Final = re.compile(r"\s*(?:\.{2,}|…)?$")
_BARE: Final = re.compile(r"(?:\s+|\s*[|·•–—-]\s*)([^\W\d_]+(?:/[^\W\d_]+)+)\s*$")
_SLASH_READ_AS_LETTER: Final = frozenset({"shelher", "helhim", "theylthem", "she|her", "he|him", "they|them"})


@dataclass(frozen=True, slots=True)
class ShownName:
    """A label without what stands behind the name.

    Attributes:
        name: cleaned; None where nothing is left.
        own: the program says that this is the tile of whoever watches.
    """

    name: str | None
    own: bool


def split_roles(text: str) -> ShownName:
    """Part a label's text into the name and what is said about it; what is not known for sure stays in the name."""
    name = clean_name(text) or ""
    if name.casefold() in _OWN_AS_WHOLE_LABEL:
        return ShownName(name, own=True)
    own = False
    while True:
        if (bracket := _BRACKET.search(name)) and (said := _said(bracket[1], cut=not bracket[2])):
            own = own or "own" in said
            name = name[: bracket.start()]
        elif (bare := _BARE.search(name)) and _is_pronouns(bare[1]):
            name = name[: bare.start()]
        else:
            return ShownName(clean_name(name), own)


def _said(inside: str, *, cut: bool) -> frozenset[str]:
    """What the words in a bracket say, of `own`, `role` and `pronouns`; nothing unless all of them are known.

    Of a label that is `cut` off within the bracket, the last word may be the beginning of a known one.
    """
    parts = [part.strip() for part in re.split(r"[,;、]", _ELLIPSIS.sub("", inside) if cut else inside)]
    said: set[str] = set()
    for index, part in enumerate(parts):
        word = part.casefold()
        if cut and index == len(parts) - 1:
            word = _completed(word, after_role="role" in said)
        if word in _ROLES:
            said.add("role")
        elif word in _OWN and part != "sie":  # written small it is she
            said.add("own")
        elif _is_pronouns(word):
            said.add("pronouns")
        else:
            return frozenset()
    if "role" not in said and any(part.casefold() in _OWN_WITH_ROLE_ONLY for part in parts):
        return frozenset()
    return frozenset(said)


def _completed(word: str, *, after_role: bool) -> str:
    """A known word of which this is the beginning; behind a role stands whose tile it is."""
    if word in _OWN | _ROLES or (after_role and not word):
        return word
    known = _OWN if after_role else _ROLES if len(word) >= _LEGIBLE else _USUAL
    return min((one for one in known if one.startswith(word)), default=word)


def _is_pronouns(text: str) -> bool:
    folded = text.casefold().strip()
    if folded in _SLASH_READ_AS_LETTER:
        return True
    return all(part.strip() in _PRONOUNS for part in folded.split("/"))
