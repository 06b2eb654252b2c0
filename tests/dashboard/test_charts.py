"""What draws the charts is what plotly and Mantine bring, less what we do not use: `bash .ci/charts` writes it anew."""

import hashlib
import json
from pathlib import Path

from dash import Dash
from plotly.offline import get_plotlyjs_version
from sqlalchemy import Engine

from dashboard import charts
from dashboard.app import create_app
from dashboard.theme import mantine_templates

_LIBRARY = "/_dash-component-suites/plotly/package_data/plotly.min.js"
_ANEW = "run `bash .ci/charts`"


def test_the_library_is_of_the_version_that_plotly_brings() -> None:
    head = charts.plotly_js()[:200]
    assert f"plotly.js (cartesian - minified) v{get_plotlyjs_version()}\n" in head, _ANEW
    assert "MIT" in head


def test_the_library_is_the_file_that_was_looked_at() -> None:
    script = (Path(__file__).parents[2] / ".ci" / "charts").read_text(encoding="utf-8")
    assert f"\nsum={hashlib.sha256(charts.LIBRARY.read_bytes()).hexdigest()}\n" in script


def test_the_runtime_of_generators_is_the_file_that_was_looked_at() -> None:
    """Dash's bundles ask for it by a global name, and a polyfill of twenty times its length brings it else."""
    root = Path(__file__).parents[2]
    licence, _, library = (
        (root / "dashboard" / "assets" / "regenerator-runtime.js")
        .read_text(encoding="utf-8")
        .partition("\n*/\n")
    )
    assert licence.startswith("/*\nMIT License")
    script = (root / ".ci" / "charts").read_text(encoding="utf-8")
    assert f"\nsum={hashlib.sha256(library.encode()).hexdigest()}\n" in script


def test_the_templates_are_those_of_mantine() -> None:
    kept = json.loads(charts.TEMPLATES.read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(mantine_templates())), _ANEW


def test_dash_is_given_the_part_instead_of_the_whole(engine: Engine) -> None:
    app: Dash = create_app(engine)
    browser = app.server.test_client()
    with browser.get(_LIBRARY, headers={"Host": "localhost"}) as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "text/javascript"
        assert answer.get_data() == charts.LIBRARY.read_bytes()
        known = {"Host": "localhost", "If-None-Match": answer.headers["ETag"]}
    with browser.get(_LIBRARY, headers=known) as again:
        assert again.status_code == 304
