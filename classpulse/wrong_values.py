"""What a value should have been, in words, for settings and options: pydantic's own are a programmer's."""

from collections.abc import Mapping
from typing import Any, Final

from engagement.phrases import count

_LENGTHS: Final = {
    "string_too_short": ("at least", "min_length"),
    "string_too_long": ("at most", "max_length"),
}
_BOUNDS: Final = {
    "greater_than_equal": ("{:g} or more", "ge"),
    "less_than_equal": ("{:g} or less", "le"),
    "greater_than": ("more than {:g}", "gt"),
    "less_than": ("less than {:g}", "lt"),
}
_KINDS: Final = {
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": 'a list, such as ["Zoom", "Meet"]',
    "list_type": 'a list, such as ["Zoom", "Meet"]',
    "path_type": "the path of a file",
    "model_type": "a table of settings",
}


def demand(problem: Mapping[str, Any]) -> str | None:
    """The end of a sentence with "should be", such as "text of at least 1 character"; None where only the problem's own
    message knows.

    Args:
        problem: one of `pydantic.ValidationError.errors()`.
    """
    limits = problem.get("ctx", {})
    kind = problem["type"]
    if kind in _LENGTHS:
        words, limit = _LENGTHS[kind]
        return f"text of {words} {count(limits[limit], 'character')}"
    if kind in _BOUNDS:
        words, limit = _BOUNDS[kind]
        return words.format(limits[limit])
    return str(limits["expected"]) if kind in {"enum", "literal_error"} else _KINDS.get(kind)


def own_words(problem: Mapping[str, Any]) -> str:
    """The problem's own message, without the words that say which exception it was."""
    return str(problem["msg"]).removeprefix("Value error, ")


def of_option(message: str, cause: BaseException | None) -> str:
    """What is wrong with an option's value, a sentence.

    Args:
        message: typer's own.
        cause: from which typer made it.
    """
    from pydantic import ValidationError

    if not isinstance(cause, ValidationError):
        return message.removeprefix("Value error, ")
    first = cause.errors()[0]
    wanted = demand(first)
    return own_words(first) if wanted is None else f"{first['input']!r} should be {wanted}."
