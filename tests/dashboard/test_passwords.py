"""Passwords: what is kept of them, what is refused, and how often they may be tried."""

import pytest

from dashboard.attempts import PER_ADDRESS, PER_DEVICE, PER_NAME, WINDOW, Attempts, network_of
from dashboard.errors import PasswordRefusedError
from dashboard.passwords import hash_password, matches

PASSWORD = "correct horse battery"  # noqa: S105 - a test's own


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_password_is_kept_as_scrypt_with_a_salt_of_its_own() -> None:
    first, second = hash_password(PASSWORD, "Ms Berg"), hash_password(PASSWORD, "Ms Berg")
    assert first != second
    assert first.startswith("scrypt:32768:8:3$")
    assert PASSWORD not in first
    assert matches(first, PASSWORD)
    assert not matches(first, PASSWORD + " ")
    assert not matches(None, PASSWORD)


def test_accents_are_the_same_on_every_keyboard() -> None:
    kept = hash_password("Ångström und Straße", "Ms Berg")
    assert matches(kept, "A\u030angstro\u0308m und Straße")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "12345678901",
        "aaaaaaaaaaaaaaaa",
        "abababababab",
        "xx ms berg xx",
        "MS BERG MS BERG",
        "x1y2" * 65,
        # the commonest, longer
        "passwordpassword",
        "p@ssw0rdp@ssw0rd",
        "Password12345",
        "Passwort12345",
        "123456789012",
        "iloveyou1234",
        "letmeinletmein",
        "qwertyuiop123",
        "asdfghjkl;'z",
        "1q2w3e4r5t6y",
        "hunter2hunter2",
        # one piece again and again
        "abcdeabcdeabcde",
        "geheimgeheim",
        "x7Kqz" * 14,
        # the account's name in pieces, a date, the program
        "BergBergBerg2026",
        "classpulse2026",
        "Wilhelmina2009",
    ],
)
def test_what_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(PasswordRefusedError, match=r"characters|easily guessed"):
        hash_password(password, "Ms Berg")


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "blue lamp river",
        "drei kleine Worte",
        "классный пароль",
        "正確な馬の電池のホッチキスと青い川",
        "vQ8#kd0-Lm2z",
        "x" * 40 + " correct horse battery",
        "correct horse battery " * 11,
    ],
)
def test_words_that_have_nothing_to_do_with_each_other_are_taken(password: str) -> None:
    assert matches(hash_password(password, "Ms Berg"), password)


def test_nothing_of_a_user_is_remembered_where_guesses_are_estimated() -> None:
    from zxcvbn import matching

    hash_password(PASSWORD, "Wilhelmina Becker")
    assert "wilhelmina" not in str(matching.RANKED_DICTIONARIES["user_inputs"])


def test_strangers_wait_and_a_known_browser_does_not() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for n in range(PER_NAME):
        attempt = attempts.begin("berg", "10.0.0.1", None)
        assert (attempt.wait, attempt.locks) == (0, n == PER_NAME - 1)
    assert attempts.begin("berg", "10.0.0.2", None).wait == WINDOW
    assert attempts.begin("berg", "10.0.0.2", "device").wait == 0
    assert attempts.begin("other", "10.0.0.2", None).wait == 0
    clock.now += WINDOW - 1
    # what is tried while one waits does not make the wait longer
    assert attempts.begin("berg", "10.0.0.2", None).wait == pytest.approx(1)
    clock.now += 1
    assert attempts.begin("berg", "10.0.0.1", None).wait == 0


def test_a_known_browser_that_fails_is_a_stranger() -> None:
    attempts = Attempts(Clock())
    waits = [attempts.begin("berg", "10.0.0.1", "device").wait > 0 for _ in range(PER_DEVICE + PER_NAME + 1)]
    assert waits == [False] * (PER_DEVICE + PER_NAME) + [True]


def test_a_known_browser_does_not_wait_for_strangers_at_its_address() -> None:
    attempts = Attempts(Clock())
    for n in range(PER_ADDRESS):
        attempts.begin(f"guess {n}", "10.0.0.1", None)
    assert attempts.begin("berg", "10.0.0.1", None).wait > 0
    assert attempts.begin("berg", "10.0.0.1", "device").wait == 0


def test_who_succeeds_starts_anew() -> None:
    attempts = Attempts(Clock())
    for _ in range(PER_ADDRESS * 3):
        attempt = attempts.begin("berg", "10.0.0.1", None)
        assert attempt.wait == 0
        attempts.succeeded(attempt)


def test_many_at_once_are_no_more_tries() -> None:
    attempts = Attempts(Clock())
    at_once = [attempts.begin("berg", "10.0.0.1", None) for _ in range(50)]
    assert sum(attempt.wait == 0 for attempt in at_once) == PER_NAME


def test_memory_is_bounded() -> None:
    attempts = Attempts(Clock())
    for n in range(12_000):
        attempts.begin(f"name {n}", f"10.{n >> 16}.{(n >> 8) & 255}.{n & 255}", None)
    assert len(attempts._failures) <= 10_000


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9%eth0", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("", "unknown"),
        ("evil", "unknown"),
    ],
)
def test_addresses_are_counted_by_household(address: str | None, network: str) -> None:
    assert network_of(address) == network
