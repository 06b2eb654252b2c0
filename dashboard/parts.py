"""What classpulse stands on: the packages that are installed with it, as their own descriptions say."""

from collections.abc import Iterator
from functools import cache
from importlib import metadata
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_OURS: Final = "classpulse"
_LONGEST_LICENCE: Final = 60
"""Characters of a licence's name; what is longer is its text."""


@cache
def parts() -> tuple[str, ...]:
    """The names of the packages that classpulse or an extra of it asks for, and of those that they ask for, as far as
    they are installed; in the order of the alphabet."""
    found: dict[str, str] = {}
    pending = [(_OURS, extra) for extra in ("", *_extras(_OURS))]
    seen = set(pending)
    while pending:
        name, extra = pending.pop()
        for requirement in _asked_for(name, extra):
            part = canonicalize_name(requirement.name)
            try:
                found[part] = metadata.metadata(part)["Name"]
            except metadata.PackageNotFoundError:
                continue
            for wanted in {(part, one) for one in ("", *requirement.extras)} - seen:
                seen.add(wanted)
                pending.append(wanted)
    return tuple(found[part] for part in sorted(found))


def licence(part: str) -> str:
    """Name, version and licence of a part as its own package says them."""
    told = metadata.metadata(part)
    named = [text for field in ("License-Expression", "License") for text in told.get_all(field, [])]
    name = named[0] if named else ""
    if not name or len(name) > _LONGEST_LICENCE:
        # some packages put the whole text there, and name it in a classifier
        names = [
            line.rpartition(" :: ")[2]
            for line in told.get_all("Classifier", [])
            if line.startswith("License ::")
        ]
        name = names[0] if names else "see its package"
    return f"{part} {told['Version']}: {name}"


def _extras(name: str) -> list[str]:
    try:
        return metadata.metadata(name).get_all("Provides-Extra", [])
    except metadata.PackageNotFoundError:
        return []


def _asked_for(name: str, extra: str) -> Iterator[Requirement]:
    """What a package asks for on this computer, with an extra of it or without one."""
    try:
        told = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return
    for one in map(Requirement, told):
        if one.marker is None or one.marker.evaluate({"extra": extra}):
            yield one
