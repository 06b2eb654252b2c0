"""The list of parts on the page About is what is installed, so that none is left out."""

import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from page_answers import ask_whole
from sqlalchemy import Engine

from dashboard.parts import licence, parts

REPOSITORY = Path(__file__).resolve().parents[2]


def test_every_requirement_that_is_installed_is_named() -> None:
    told = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {canonicalize_name(part) for part in parts()}
    asked = [Requirement(one) for one in told["dependencies"]]
    missing = [
        one.name
        for one in asked
        if (one.marker is None or one.marker.evaluate()) and canonicalize_name(one.name) not in named
    ]
    assert not missing
    # and what those ask for: the server of pages over TLS, and what speaks HTTP/2 for it
    assert {"hypercorn", "h2", "flask", "werkzeug", "waitress", "numpy"} <= named
    # what only the tests need is not handed to anybody
    assert not named & {"pytest", "ruff", "mypy", "playwright", "classpulse"}


def test_each_has_its_version_and_its_licence() -> None:
    for part in parts():
        name, _, rest = licence(part).partition(" ")
        version, _, words = rest.partition(": ")
        assert (name, version) == (part, metadata.version(part))
        assert 0 < len(words) <= 60


def test_the_page_shows_them(engine: Engine) -> None:
    answer = ask_whole(
        engine,
        "about-parts.children",
        {"id": "about-parts", "property": "children"},
        {"shell-viewer.data": {}},
        {},
    )
    lines = [one["props"]["children"] for one in answer["response"]["about-parts"]["children"]]
    assert lines == [licence(part) for part in parts()]
    assert any(line.startswith("Hypercorn ") for line in lines)
