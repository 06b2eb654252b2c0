"""Passwords: scrypt, and an answer that takes as long where nobody has that name.

The cost is one of those that OWASP's Password Storage Cheat Sheet calls equal: N = 2^15, r = 8, p = 3, 32 MiB each.
"""

import threading
import unicodedata
from typing import Final

from werkzeug.security import check_password_hash, generate_password_hash

from dashboard.errors import PasswordRefusedError

SHORTEST: Final = 12
"""Characters of a password."""

LONGEST: Final = 256

_HARD_TO_GUESS: Final = 3
"""Of zxcvbn's 0..4: more than 10^8 guesses by one who tries common passwords, names, dates, rows of keys and repeats
first (NIST SP 800-63B asks to refuse these)."""

_ESTIMATED: Final = 40
"""Characters that zxcvbn looks at, from the beginning and from the end: what is hard to guess in part is so in whole.
Its time grows steeply where every character may stand for a letter: 72 such took 2.7 s, 40 take 0.6 s."""

_ESTIMATES: Final = threading.Lock()
"""zxcvbn keeps what it is told of a user in one place for all."""

_METHOD: Final = "scrypt:32768:8:3"

_AT_ONCE: Final = threading.BoundedSemaphore(2)
"""Whoever tries passwords takes the time and memory of two at most from a class that is read beside."""

_NOBODYS: Final = (
    "scrypt:32768:8:3$classpulsenobody$"
    "0000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000"
)
"""No password has this hash; it costs what any other costs."""


def hash_password(password: str, name: str) -> str:
    """The password as it is kept: method, cost, salt and hash.

    Args:
        password: as typed.
        name: of the account, which is no password.

    Raises:
        PasswordRefusedError: it is too short, too long, or easily guessed.
    """
    typed = _folded(password)
    if len(typed) < SHORTEST:
        raise PasswordRefusedError(
            f"A password has at least {SHORTEST} characters, this one has {len(typed)}: three or four words will do."
        )
    if len(typed) > LONGEST:
        raise PasswordRefusedError(f"A password has at most {LONGEST} characters: choose a shorter one.")
    own = _folded(name).strip().casefold()
    if len(set(typed)) < 5 or (len(own) > 2 and own in typed.casefold()):
        raise PasswordRefusedError(
            "That password is easily guessed (the name, or few different characters): choose another one."
        )
    if not _is_hard_to_guess(typed, own):
        raise PasswordRefusedError(
            "That password is easily guessed: it is a common one, or made of a name, a date, a row of keys or "
            "something repeated. Take three or four words that have nothing to do with each other."
        )
    with _AT_ONCE:
        return generate_password_hash(typed, _METHOD)


def matches(kept: str | None, password: str) -> bool:
    """Whether this is the password that was kept; None (nobody has that name) takes as long and never is."""
    with _AT_ONCE:
        found = check_password_hash(_NOBODYS if kept is None else kept, _folded(password[: LONGEST * 4]))
    return found and kept is not None


def _is_hard_to_guess(typed: str, own: str) -> bool:
    # its lists of words take a while to load, and most commands need none of them
    from zxcvbn import zxcvbn

    with _ESTIMATES:
        told = max(
            int(zxcvbn(part, [own, *own.split(), "classpulse"])["score"])
            for part in {typed[:_ESTIMATED], typed[-_ESTIMATED:]}
        )
        zxcvbn("-", [])  # forgets the name
    return told >= _HARD_TO_GUESS


def _folded(password: str) -> str:
    """The same on every keyboard: accents as one character or as two (NFKC, as NIST SP 800-63B asks)."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode("utf-8"))
