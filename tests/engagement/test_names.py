"""Cleaning of hostile names."""

import unicodedata

import numpy as np
import pytest

from engagement.names import clean_name
from engagement.records import MAX_NAME_LENGTH


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Anna Lind", "Anna Lind"),
        ("  Anna\t\n Lind\u00a0", "Anna Lind"),
        ("Ａｎｎａ", "Anna"),
        ("Jose\u0301", "José"),
        ("An\u200bna\u200d", "Anna"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("Anna\x00\x1b[31m", "Anna[31m"),
        ("\ufeffAnna\u2066", "Anna"),
        ("A\ufe0fB", "AB"),
        ("张伟", "张伟"),
        ("محمد", "محمد"),
        ("ที่", "ที่"),
        ("😀 Anna", "😀 Anna"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("=1+1", "=1+1"),
    ],
)
def test_keeps_what_is_visible(typed: str, kept: str) -> None:
    assert clean_name(typed) == kept


@pytest.mark.parametrize(
    "nothing", ["", "   ", "\u200b\u200e", "\u3164", "\u2800\u2800", "\x00\x07", "\ud800", "\ue000"]
)
def test_nothing_visible_is_no_name(nothing: str) -> None:
    assert clean_name(nothing) is None


def test_long_names_are_cut_and_growing_characters_cannot_hurt() -> None:
    assert clean_name("x" * 200) == "x" * MAX_NAME_LENGTH
    grown = clean_name("\ufdfa" * 100_000)
    assert grown is not None
    assert len(grown) <= MAX_NAME_LENGTH


def test_another_limit_holds_after_folding_too() -> None:
    assert clean_name("x" * 300, 200) == "x" * 200
    assert clean_name("a" * 5 + " b", 6) == "a" * 5
    grown = clean_name("\ufdfa" * 100_000, 200)
    assert grown is not None
    assert len(grown) <= 200


def test_stacked_marks_are_limited() -> None:
    cleaned = clean_name("Z" + "\u0335" * 40 + "algo")
    assert cleaned == "Z" + "\u0335" * 3 + "algo"


def test_cleaning_is_idempotent_and_leaves_no_hidden_character() -> None:
    generator = np.random.default_rng(7)
    pool = [chr(code) for code in range(0x3000)] + [chr(code) for code in range(0xF900, 0x10000)]
    pool += ["\U000e0001", "\U000e0100", "\U0001f600", "\ufdfa", "\u202e", " ", "a"]
    characters = np.array(pool)
    for _ in range(2000):
        cleaned = clean_name("".join(generator.choice(characters, size=generator.integers(0, 90))))
        if cleaned is None:
            continue
        assert 0 < len(cleaned) <= MAX_NAME_LENGTH
        assert clean_name(cleaned) == cleaned
        assert cleaned == " ".join(cleaned.split())
        assert not any(unicodedata.category(character)[0] == "C" for character in cleaned)
