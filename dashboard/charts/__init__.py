"""What draws the charts: the part of plotly.js with our kinds of traces, and the templates (written by `.ci/charts`).

The whole library is three times as long, and the browser works two thirds of a second to begin with it.
"""

from pathlib import Path
from typing import Final

LIBRARY: Final = Path(__file__).parent / "plotly-cartesian.min.js"
TEMPLATES: Final = Path(__file__).parent / "templates.json"


def plotly_js() -> str:
    """The library as a script, 1.5 MB."""
    return LIBRARY.read_text(encoding="utf-8")
