"""What a browser sends to run a callback, checked before Dash takes it apart; anything else gets a sentence."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def fault_of(body: bytes, callbacks: Mapping[str, Mapping[str, Any]]) -> str | None:
    """What is wrong with the body of a request for a callback; None where nothing is.

    Args:
        body: as it came.
        callbacks: `Dash.callback_map`.
    """
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return "The body is not JSON."
    output = asked.get("output") if isinstance(asked, dict) else None
    known = callbacks.get(output) if isinstance(output, str) else None
    if known is None or "callback" not in known:
        return "There is no such callback."
    changed = asked.get("changedPropIds", [])
    checks = {
        "The inputs are not those of the callback.": _is_dependencies(asked.get("inputs"), known["inputs"]),
        "The state is not that of the callback.": _is_dependencies(asked.get("state", []), known["state"]),
        "The outputs are not those of the callback.": _is_outputs(asked.get("outputs"), known["output"]),
        "What has changed is not a list of properties.": isinstance(changed, list)
        and all(map(_is_property, changed)),
    }
    return next((fault for fault, good in checks.items() if not good), None)


def _is_dependencies(given: Any, known: Sequence[Mapping[str, Any]]) -> bool:
    if not isinstance(given, list) or len(given) != len(known):
        return False
    return all(_is_dependency(one, wanted) for one, wanted in zip(given, known, strict=True))


def _is_dependency(given: Any, wanted: Mapping[str, Any]) -> bool:
    if str(wanted["id"]).startswith("{"):
        # one for each component that the pattern fits, or the one that it matches
        several = given if isinstance(given, list) else [given]
        return all(
            isinstance(one, dict)
            and isinstance(one.get("id"), dict)
            and one.get("property") == wanted["property"]
            for one in several
        )
    return (
        isinstance(given, dict)
        and given.get("id") == wanted["id"]
        and given.get("property") == wanted["property"]
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


def _is_property(changed: Any) -> bool:
    if not isinstance(changed, str):
        return False
    name, dot, _property = changed.rpartition(".")
    if not dot:
        return False
    if not name.startswith("{"):
        return True
    try:
        return isinstance(json.loads(name), dict)
    except (ValueError, RecursionError):
        return False
