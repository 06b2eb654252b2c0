"""Which label belongs to which student of the class list, where that is certain.

A wrong match would show one student's lesson under another's name, so what is not certain is left to the teacher:
a first name alone, two students whom a label fits alike, or a name that differs by more than what recognition is
known to mix up. Two names that differ by a vowel are two names.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from engagement.label_roles import split_roles
from engagement.names import clean_name
from engagement.records import Label

SURE: Final = 0.86
"""Score from which a label is a student's, if no other comes near."""
MARGIN: Final = 0.06
"""By how much the best student must lead the second."""
OFFERED: Final = 0.64
"""Score from which a student is offered to the teacher."""
_MOST_OFFERED: Final = 5

_MISREAD: Final = 0.97
"""A word that is the same but for strokes that no reader tells apart (I and l, rn and m)."""
_SLIP: Final = 0.92
"""A long word with one letter read as one of like shape."""
_CUT: Final = 0.90
"""A word that the label cuts off with an ellipsis."""
_INITIAL: Final = 0.88
_OTHER_ORDER: Final = 0.04
_WITHOUT_MIDDLE: Final = 0.05
_ADDED: Final = 0.05
"""What stands beside the name behind a dash or as a number: a group, a class."""
_FOREIGN_WORD: Final = 0.2
_PART_OF_NAME: Final = 0.75
"""One word of the name alone, such as a first name."""
_LIKE: Final = 0.8

_LONG_WORD: Final = 7
_LONG_PART: Final = 5
_SHORT_FORM: Final = 3
_LIKE_SHAPES: Final = frozenset(
    frozenset(pair)
    for pair in ("ce", "nh", "uv", "ft", "gq", "il", "rn", "vy", "tl", "hb", "ij", "tf", "kx", "kh")
)
_STROKES: Final = str.maketrans({"I": "l", "1": "l", "|": "l", "!": "l", "0": "o", "5": "s", "8": "b"})
_LETTERS: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th"}
    # Cyrillic letters that a reader of Latin takes for these
    | dict(zip("авекмнорстухіјѕ", "abekmhopctyxijs", strict=True))
)
_ACCENTS: Final = frozenset(map(chr, range(0x300, 0x370)))
_SPELT_ALIKE: Final = (("rn", "m"), ("vv", "w"), ("ae", "a"), ("oe", "o"), ("ue", "u"))
"""Letters that look like another, and the umlauts of those who have no key for them."""
_WRITTEN_OUT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "đ": "dj"})
"""Small letters as they are typed where the keyboard has none; ß and æ are two letters in any case."""
_BRACKETS: Final = {"(": ")", "[": "]", '"': '"', "“": "”", "„": "“"}
_SEPARATORS: Final = (" - ", " – ", " — ", "|", "/", "·", "•", "_", "@", ":")
_PARTICLES: Final = frozenset({
    "de", "da", "di", "du", "do", "dos", "das", "del", "della", "van", "von", "der", "den", "ter", "ten",
    "zu", "zum", "zur", "af", "av", "la", "le", "el", "al", "bin", "ibn", "bint", "y", "e",
})  # fmt: skip
_ELLIPSES: Final = ("...", "…", "..")
_JOINED_BY: Final = frozenset({
    "&", "+", "and", "und", "et", "y", "e", "i", "en", "og", "och", "ja", "ve", "и", "та", "和", "と",
})  # fmt: skip
"""What stands between the names of two who share a tile."""
_SHARED: Final = 0.8
"""The most that a label of several people counts: it is never one student's without asking."""
_LOOSE_PARTICLE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Matches:
    """Labels and the students of a class list.

    Attributes:
        students: label -> id of its student, where that is certain or was said by hand.
        unsure: label -> ids of those who it may be, the likeliest first; never empty.
    """

    students: Mapping[str, int]
    unsure: Mapping[str, tuple[int, ...]]


def match_labels(
    labels: Sequence[str], students: Sequence[tuple[int, str]], by_hand: Mapping[str, int | None]
) -> Matches:
    """Match the labels that are shown together.

    Args:
        labels: as read, cleaned; a label that two participants carry stands in it twice.
        students: id and name of everybody on the class list.
        by_hand: label -> what the teacher said: a student's id, or None for nobody of the list.

    Returns:
        No student gets two labels and no label two students unless the teacher said so. Nobody's label is in neither
        part.
    """
    said = {label_key(label): student for label, student in by_hand.items()}
    known = {student for student, _ in students}
    matched = {label: said[label_key(label)] for label in labels if label_key(label) in said}
    certain = {label: student for label, student in matched.items() if student in known}
    taken = set(certain.values())
    times = Counter(label_key(label) for label in labels)
    listed = tuple(students)
    unsure: dict[str, tuple[int, ...]] = {}
    claims: dict[int, list[tuple[float, str]]] = {}
    for label in dict.fromkeys(labels):
        if label in matched:
            continue
        ranked = _ranked(label, listed)
        if not ranked:
            continue
        (score, best), second = ranked[0], ranked[1][0] if len(ranked) > 1 else 0.0
        unsure[label] = tuple(student for _, student in ranked[:_MOST_OFFERED])
        if score >= SURE and score - second >= MARGIN and best not in taken and times[label_key(label)] == 1:
            claims.setdefault(best, []).append((score, label))
    for student, claimed in claims.items():
        claimed.sort(reverse=True)
        if len(claimed) == 1 or claimed[0][0] - claimed[1][0] >= MARGIN:
            certain[claimed[0][1]] = student
    for label in certain:
        unsure.pop(label, None)
    return Matches(
        MappingProxyType({label: student for label, student in certain.items() if student is not None}),
        MappingProxyType(unsure),
    )


@lru_cache(maxsize=4096)
def may_be(label: str, name: str) -> bool:
    """Whether a label may be that of somebody of this name: it has a part in common with it, or its initials.

    Parts stand apart at blanks, hyphens, apostrophes and brackets; those with digits are a group's. They are in common
    where they are the same, written together, one the beginning of the other ("Alex" of Alexander, "Jo" alone of
    Joanna), or other by a letter where they are long; all that with umlauts and their like as they are, without their
    dots or written out ("Joergs" of Jörg). A label of one word may also be an initial and a last name ("jbaer"). For
    who must not be looked at by mistake: a nickname that shares nothing with the name ("Kasia" of Katarzyna) is not
    told, nor a slip in a name of four letters ("Ana" of Anna), which would be many another's name.

    Args:
        label: as read, cleaned.
        name: as on the class list.
    """
    shown, listed = _parts(label), _parts(name)
    # "Le" and "Al" may be a first or a last name; a group or a class is none
    inner = {part.plain for part in listed[1:-1]} & _PARTICLES
    listed = tuple(part for part in listed if part.plain.isalpha() or not part.plain.isascii()) or listed
    joined = (
        _joined(listed[start:end])
        for start in range(len(listed))
        for end in range(start + 2, len(listed) + 1)
    )
    named = {*(part for part in listed if part.plain not in inner), *joined}
    words = {part.plain for part in named}
    if any(
        _in_common(one, other)
        for one in shown
        if one.plain in words or one.plain not in _PARTICLES
        for other in named
    ):
        return True
    if len(shown) == 1 and listed:
        first, last = (listed[-1], listed[0]) if "," in name else (listed[0], listed[-1])
        if _is_account(shown[0], first, last) or any(part.plain.startswith(shown[0].plain) for part in named):
            return True
    initials = "".join(part.plain[0] for part in listed)
    short = "".join(part.plain for part in shown)
    return len(short) <= len(initials) and short[:1] == initials[:1] and _is_in_order(short, initials)


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a name, in the ways in which it may be spelt.

    Attributes:
        plain: without case and accents, such as "jorg" of Jörg.
        written_out: with umlauts and their like written out, such as "joerg"; the same as `plain` where there are none.
        shape: what looks the same in all spellings and to who reads the strokes, such as "jorg" of Joerg.
    """

    plain: str
    written_out: str
    shape: str


def _in_common(one: _Part, other: _Part) -> bool:
    shortest = min(len(one.plain), len(other.plain))
    slips = 0 if shortest < _LONG_PART else 1 if shortest < _LONG_WORD else 2
    if _are_alike(one.plain, other.plain, _SHORT_FORM, slips):
        return True
    # "Joe" and "Sue" are names of their own, and no beginnings of Jörg and Süleyman
    least = _SHORT_FORM + 1
    spellings = product((one.plain, one.written_out), (other.plain, other.written_out))
    if any(_are_alike(a, b, least, slips) for a, b in spellings):
        return True
    # what Sue and Su have in common is too little
    return min(len(one.shape), len(other.shape)) >= _SHORT_FORM and _are_alike(one.shape, other.shape, least)


def _are_alike(one: str, other: str, least: int, slips: int = 0) -> bool:
    """Whether two spellings are the same but for some slips, or the shorter begins the longer.

    Args:
        one: a spelling.
        other: another.
        least: letters that a beginning needs.
        slips: letters that may be other ones, or missing.
    """
    short, long = sorted((one, other), key=len)
    if short == long or (len(short) >= least and long.startswith(short)):
        return len(short) > 1
    if not (short[0].islower() and long[0].islower()):
        # scripts without capitals write a whole name as one word
        return len(short) > 1 and short in long
    return slips > 0 and OSA.distance(short, long) <= slips


def _is_account(word: _Part, first: _Part, last: _Part) -> bool:
    """Whether a word is an initial and a last name, with or without a number behind: "jbaer7" of Jörg Bär. With a last
    name of three letters it may be another's first name: "Ali" of Anna Li."""
    letters = word.plain.rstrip("0123456789"), word.written_out.rstrip("0123456789")
    accounts = (first.plain[0] + last.plain, first.plain[0] + last.written_out)
    return len(last.written_out) > _SHORT_FORM and not set(letters).isdisjoint(accounts)


def _joined(parts: Sequence[_Part]) -> _Part:
    spellings = ((part.plain, part.written_out, part.shape) for part in parts)
    return _Part(*map("".join, zip(*spellings, strict=True)))


def _is_in_order(short: str, long: str) -> bool:
    """Whether the letters of `short` stand in `long`, in this order."""
    rest = iter(long)
    return all(letter in rest for letter in short)


def _parts(text: str) -> tuple[_Part, ...]:
    """The letters and digits of a name between whatever else stands in it."""
    apart = "".join(one if unicodedata.category(one)[0] in "LNM" else " " for one in text)
    return tuple(_part(part) for part in apart.split() if _plain(part))


def _part(word: str) -> _Part:
    # a number alone is none of strokes: "10" is not Lo
    strokes = word if word.isdigit() else word.translate(_STROKES)
    return _Part(_plain(word), _written_out(word), _shape(_written_out(strokes)).replace("aa", "a"))


def _written_out(word: str) -> str:
    return _plain(unicodedata.normalize("NFC", word.casefold()).translate(_WRITTEN_OUT))


def label_key(label: str) -> str:
    """What two spellings of one label have in common."""
    return (clean_name(label) or "").casefold()


def is_own_label(label: Label, own_label: str | None) -> bool:
    """Whether a label is on the teacher's own tile: the program says so, or it is the one that the teacher chose."""
    if label.own:
        return True
    return own_label is not None and label.name is not None and label_key(label.name) == label_key(own_label)


@lru_cache(maxsize=4096)
def _ranked(label: str, students: tuple[tuple[int, str], ...]) -> list[tuple[float, int]]:
    """Scores and ids of those who may carry a label, best first."""
    read = _forms(label)
    most = _SHARED if _is_shared(label) else 1.0
    scored = (
        (
            max(
                (
                    score if score == 1.0 else min(score, most)
                    for one in read
                    for other in _listed_forms(name)
                    for score in (_score(one, other),)
                ),
                default=0.0,
            ),
            student,
        )
        for student, name in students
    )
    return sorted((one for one in scored if one[0] >= OFFERED), key=lambda one: (-one[0], one[1]))


@dataclass(frozen=True, slots=True)
class _Word:
    """A word without case and accents, as it looks where strokes are mixed up, and what it may be shortened to."""

    plain: str
    shape: str
    initials: frozenset[str]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to take a name: its words with the first name first, and what taking it so costs."""

    words: tuple[_Word, ...]
    cost: float = 0.0

    @property
    def plain(self) -> str:
        return "".join(word.plain for word in self.words)

    @property
    def shape(self) -> str:
        return "".join(word.shape for word in self.words)


@lru_cache(maxsize=2048)
def _forms(text: str) -> tuple[_Form, ...]:
    name = split_roles(text).name or ""
    outside, inside = _part_brackets(name)
    found = _orders(outside, 0.0)
    for nickname in inside:
        aside = _words(nickname)
        if len(aside) > 1 or (aside and not nickname.isascii() and _words(outside)[:1] != aside):
            found.append(_Form(aside))
        elif aside and found:
            # Bill for William: the nickname stands where the first names do
            found.append(_Form((*aside, *found[0].words[-1:])))
    for separator in _SEPARATORS:
        if separator in outside:
            for part in outside.split(separator):
                found += _orders(part, _ADDED)
    for form in list(found):
        kept = tuple(word for word in form.words if not any(map(str.isdigit, word.plain)))
        if kept and len(kept) < len(form.words):
            found.append(_Form(kept, form.cost + _ADDED))
    return tuple(dict.fromkeys(form for form in found if form.words))


@lru_cache(maxsize=2048)
def _listed_forms(name: str) -> tuple[_Form, ...]:
    """The ways to take a name of the class list; a "van" in it may be a name by itself (Nguyen Van An)."""
    loose = _words(name, joining=False)
    return tuple(dict.fromkeys((*_forms(name), _Form(loose, _LOOSE_PARTICLE)))) if loose else _forms(name)


def _is_shared(label: str) -> bool:
    """Whether a label names several people: "Tom & Lea Schmidt", "Anna Weber, Tom Keller"."""
    outside, _inside = _part_brackets(split_roles(label).name or "")
    words = outside.replace("&", " & ").replace("+", " + ").casefold().split()
    if _JOINED_BY.intersection(words[1:-1]):
        return True
    for separator in (",", ";", "/"):
        whole = [
            part
            for part in outside.split(separator)
            if sum(map(str.isalpha, part)) > 1 and len(part.split()) > 1
        ]
        if len(whole) > 1:
            return True
    return False


def _orders(text: str, cost: float) -> list[_Form]:
    """A name as it stands, and turned where it is "Last, First"."""
    last, comma, first = text.partition(",")
    found = [_Form(_words(text), cost)]
    if comma and _words(first) and _words(last):
        found.insert(0, _Form((*_words(first), *_words(last, last_name=True)), cost))
    return found


def _part_brackets(name: str) -> tuple[str, list[str]]:
    """A name without what stands in brackets or quotes, and that."""
    inside: list[str] = []
    for opening, closing in _BRACKETS.items():
        while (start := name.find(opening)) >= 0 and (end := name.find(closing, start + 1)) > start:
            inside.append(name[start + 1 : end])
            name = f"{name[:start]} {name[end + 1 :]}"
    return name, inside


def _words(text: str, *, last_name: bool = False, joining: bool = True) -> tuple[_Word, ...]:
    """The words of a name, "de" and its like being part of the word that follows, if they are to be joined."""
    words: list[_Word] = []
    particles: list[str] = []
    parts = text.replace(",", " ").split()
    for index, part in enumerate(parts):
        if joining and part.casefold() in _PARTICLES and index + 1 < len(parts) and (index or last_name):
            particles.append(part)
            continue
        whole = "".join((*particles, part))
        plain, shape = _plain(whole), _shape(_plain(whole.translate(_STROKES)))
        if plain:
            # only scripts with capitals have initials: a Chinese name may be one sign long
            initials = frozenset(
                one[0] for one in map(_plain, (*particles, part)) if one and one[0].islower()
            )
            words.append(_Word(plain, shape, initials, part.endswith(_ELLIPSES)))
        particles = []
    return tuple(words)


def _plain(word: str) -> str:
    """Letters and digits alone, without case and accents; the vowel signs of Indic and Arabic script are letters."""
    apart = unicodedata.normalize("NFKD", word.casefold()).translate(_LETTERS)
    return "".join(one for one in apart if unicodedata.category(one)[0] in "LNM" and one not in _ACCENTS)


def _shape(plain: str) -> str:
    """What spellings that look alike have in common."""
    for written, looks in _SPELT_ALIKE:
        plain = plain.replace(written, looks)
    return plain


def _score(label: _Form, student: _Form) -> float:
    """How well a label fits a student, 0..1."""
    if label.plain == student.plain:
        return 1.0 - label.cost - student.cost
    if label.shape == student.shape:
        return _MISREAD - label.cost - student.cost
    whole = _whole_name(label.words, student.words)
    like = _LIKE * fuzz.token_sort_ratio(_spaced(label.words), _spaced(student.words)) / 100
    return max(whole, like) - label.cost - student.cost


def _spaced(words: Iterable[_Word]) -> str:
    return " ".join(word.plain for word in words)


def _whole_name(label: Sequence[_Word], student: Sequence[_Word]) -> float:
    """The score by words: first and last name have to be there, and nothing may speak against."""
    if len(student) == 1 or len(label) == 1:
        best = max(_same(one, other) for one in label for other in (student[0], student[-1]))
        if best < _CUT:
            return 0.0
        return best if len(student) == len(label) else _PART_OF_NAME
    score, start, end = max(
        (min(first, last) * (max(first, last) if first < 1 and last < 1 else 1.0), start, end)
        for start, one in enumerate(label)
        for end, other in enumerate(label)
        if start != end
        for first, last in ((_same(one, student[0]), _same(other, student[-1])),)
    )
    if not score:
        return _PART_OF_NAME if _is_part(label, student) else 0.0
    if end < start:
        score -= _OTHER_ORDER
    low, high = min(start, end), max(start, end)
    between, outside = tuple(label[low + 1 : high]), (*label[:low], *label[high + 1 :])
    middle = list(student[1:-1])
    if end < start:
        # "Keller Anna Maria": what follows the first name is a middle name
        between, outside = (*between, *label[start + 1 :]), tuple(label[:end])
    if outside:
        return score - _FOREIGN_WORD
    fitting = sum(any(_same(one, other) for other in middle) for one in between)
    if fitting < min(len(between), len(middle)):
        return score - _FOREIGN_WORD  # another middle name is another person
    return score - _WITHOUT_MIDDLE * (len(between) != len(middle))


def _is_part(label: Sequence[_Word], student: Sequence[_Word]) -> bool:
    """Whether all words of a label stand in the student's name."""
    return all(any(_same(one, other) >= _CUT for other in student) for one in label)


def _same(one: _Word, other: _Word) -> float:
    """How sure it is that a word of a label is that word of a name; 0 where it is another word."""
    if one.plain == other.plain:
        return 1.0
    if one.shape == other.shape:
        return _MISREAD
    if 1 in (len(one.plain), len(other.plain)):
        short, long = sorted((one, other), key=lambda word: len(word.plain))
        return _INITIAL if short.plain in long.initials else 0.0
    if one.cut and len(one.plain) >= 3 and other.plain.startswith(one.plain):
        return _CUT
    if len(one.plain) == len(other.plain) >= _LONG_WORD:
        other_letters = [
            pair for pair in zip(one.plain[:-1], other.plain[:-1], strict=True) if len({*pair}) > 1
        ]
        if one.plain[-1] == other.plain[-1] and len(other_letters) == 1:
            return _SLIP if frozenset(other_letters[0]) in _LIKE_SHAPES else 0.0
    return 0.0
