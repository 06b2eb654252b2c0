"""What a browser sends to run a callback, checked before Dash takes it apart; anything else gets a sentence."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from dashboard.shapes import misfit

_LARGEST: Final = 2**63 - 1
"""Beyond it no database counts."""


def fault_of(body: bytes, callbacks: Mapping[str, Mapping[str, Any]]) -> str | None:
    """What is wrong with the body of a request for a callback; None where nothing is.

    Args:
        body: as it came.
        callbacks: `Dash.callback_map`.
    """
    try:
        asked = json.loads(body, parse_constant=_refuse, parse_float=_finite, parse_int=_countable)
        # half of a character is none: neither a database nor an answer can hold it
        json.dumps(asked, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return "The body is not JSON."
    output = asked.get("output") if isinstance(asked, dict) else None
    known = callbacks.get(output) if isinstance(output, str) else None
    if known is None or "callback" not in known:
        return "There is no such callback."
    return _shape_fault(asked, known) or _value_fault([*asked["inputs"], *asked.get("state", [])], known)


def _shape_fault(asked: Mapping[str, Any], known: Mapping[str, Any]) -> str | None:
    """What is wrong with the properties that are asked for and given."""
    if not _is_dependencies(asked.get("inputs"), known["inputs"]):
        return "The inputs are not those of the callback."
    if not _is_dependencies(asked.get("state", []), known["state"]):
        return "The state is not that of the callback."
    if not _is_outputs(asked.get("outputs"), known["output"]):
        return "The outputs are not those of the callback."
    changed = asked.get("changedPropIds", [])
    several = [one for part in asked["inputs"] for one in (part if isinstance(part, list) else [part])]
    sent = {_as_key(one["id"]) for one in several}
    if not isinstance(changed, list) or not all(_is_property(one, sent) for one in changed):
        return "What has changed is not a list of properties."
    return None


def _value_fault(given: Sequence[Any], known: Mapping[str, Any]) -> str | None:
    """What is wrong with the values; `given` are the inputs and the state, where a pattern is asked for in a list."""
    order = known["inputs_state_indices"]
    parts = [given[place] for place in (order if isinstance(order, list) else [order])]
    values = [
        [one.get("value") for one in part] if isinstance(part, list) else part.get("value") for part in parts
    ]
    names = ["" if isinstance(part, list) else part["property"] for part in parts]
    place = misfit(known["callback"], names, values)
    return (
        None
        if place is None
        else f"Value {place + 1} for {known['callback'].__name__} is not what a page sends."
    )


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large.")
    return number


def _countable(text: str) -> int:
    number = int(text)
    if abs(number) > _LARGEST:
        raise ValueError(f"{text} is too large.")
    return number


def _is_dependencies(given: Any, known: Sequence[Mapping[str, Any]]) -> bool:
    if not isinstance(given, list) or len(given) != len(known):
        return False
    return all(_is_dependency(one, wanted) for one, wanted in zip(given, known, strict=True))


def _is_dependency(given: Any, wanted: Mapping[str, Any]) -> bool:
    if str(wanted["id"]).startswith("{"):
        # one for each component that the pattern fits, or the one that it matches
        several = given if isinstance(given, list) else [given]
        pattern = json.loads(wanted["id"])
        return all(
            isinstance(one, dict)
            and _fits(one.get("id"), pattern)
            and one.get("property") == wanted["property"]
            for one in several
        )
    return (
        isinstance(given, dict)
        and given.get("id") == wanted["id"]
        and given.get("property") == wanted["property"]
    )


def _fits(name: Any, pattern: Mapping[str, Any]) -> bool:
    """Whether the id of a component is one that a pattern with ALL stands for."""
    return (
        isinstance(name, dict)
        and set(name) == set(pattern)
        and all(
            isinstance(name[key], str | int | float) if isinstance(value, list) else name[key] == value
            for key, value in pattern.items()
        )
    )


def _is_outputs(given: Any, known: Any) -> bool:
    if isinstance(known, list | tuple):
        return isinstance(given, list) and len(given) == len(known) and all(map(_is_output, given, known))
    return _is_output(given, known)


def _is_output(given: Any, known: Any) -> bool:
    if isinstance(given, list):
        return all(isinstance(one, dict) for one in given) and not isinstance(known.component_id, str)
    # two callbacks that share an output tell it apart by what stands behind an @
    return (
        isinstance(given, dict)
        and isinstance(given.get("property"), str)
        and given["property"].partition("@")[0] == known.component_property
        and (given.get("id") == known.component_id or not isinstance(known.component_id, str))
    )


def _is_property(changed: Any, sent: Collection[str]) -> bool:
    """Whether it names a property; of a component of a pattern only if its id is among those that were sent: a callback
    does what the id of the component says that triggered it."""
    if not isinstance(changed, str):
        return False
    name, dot, _property = changed.rpartition(".")
    if not dot:
        return False
    if not name.startswith("{"):
        return True
    try:
        return _as_key(json.loads(name)) in sent
    except (ValueError, RecursionError):
        return False


def _as_key(name: Any) -> str:
    """The id of a component, the same in whatever order its parts come."""
    return json.dumps(name, sort_keys=True)
