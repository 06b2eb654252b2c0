"""What the values are that a browser sends for a callback: checked against what the callback says it takes.

A callback's annotations are the rule. `Any` and `object` are for values that it looks at itself. Whatever a page keeps
in a store is described where it is made, with `shaped`.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, Final, get_type_hints

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

_COUNTED: Final = frozenset({"n_clicks", "n_intervals", "n_submit", "n_blur"})
"""Properties that are not there before somebody does something."""

RowId = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""The number of a row, as it fits every database."""

RowIdText = Annotated[str, Field(pattern=r"^[0-9]{1,9}$")]
"""The same, as a list of choices tells it."""

Moment = Annotated[float, Field(ge=0, le=4_102_444_800_000)]
"""Milliseconds since 1970 (UTC), up to 2100."""


def shaped(shape: Any) -> AfterValidator:
    """For `Annotated[dict[str, Any], shaped(SomeTypedDict)]`: what the keys of a store must hold."""
    adapter = TypeAdapter(shape)
    return AfterValidator(lambda value: adapter.validate_python(value, strict=True) and value)


def one_of(words: Callable[[Any], object]) -> AfterValidator:
    """For `Annotated[str, one_of(SomeEnum)]`: one of its values."""
    return AfterValidator(lambda value: words(value) and value)


def misfit(callback: Callable[..., Any], properties: Sequence[str], values: Sequence[Any]) -> int | None:
    """The place of the first value that is not what a callback takes; None where all are.

    Args:
        callback: as it was registered.
        properties: the name of each value's property.
        values: in the order of the callback's parameters.
    """
    for place, (adapter, name, value) in enumerate(
        zip(_adapters(callback, len(values)), properties, values, strict=True)
    ):
        if name in _COUNTED and value is None:
            continue
        try:
            adapter.validate_python(value, strict=True)
        except ValidationError:
            return place
    return None


@cache
def _adapters(callback: Callable[..., Any], number: int) -> tuple[TypeAdapter[Any], ...]:
    plain = inspect.unwrap(callback)
    hints = get_type_hints(plain, include_extras=True)
    kinds: list[Any] = []
    for name, parameter in inspect.signature(plain).parameters.items():
        kind = hints.get(name, Any)
        several = number - len(kinds) if parameter.kind is inspect.Parameter.VAR_POSITIONAL else 1
        kinds += [kind] * several
    return tuple(TypeAdapter(kind) for kind in kinds)
