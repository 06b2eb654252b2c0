"""Leaving alone what would look the same: what is drawn anew loses its focus, is read out again and folds up."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from dash import no_update
from plotly.utils import PlotlyJSONEncoder

_PICTURE: Final = re.compile(r'"(src|alt)": "[^"]*", ?|, "(src|alt)": "[^"]*"')


def only_changed(
    drawn: Mapping[str, Any], before: Mapping[str, str] | None, moment: int = 0
) -> tuple[list[Any], dict[str, str]]:
    """What to hand to the page, and the signatures to hand in as `before` the next time.

    Args:
        drawn: per name what is to be shown (components, text or None).
        before: the signatures that came with the last one, None for the first time.
        moment: small pictures in it are drawn anew when this changes, otherwise only with what is around them.

    Returns:
        One output per entry of `drawn`, `no_update` where it looks like before; and the signatures.
    """
    signatures = {}
    for name, part in drawn.items():
        text, pictures = _PICTURE.subn("", json.dumps(part, cls=PlotlyJSONEncoder, sort_keys=False))
        signatures[name] = hashlib.sha256(f"{text} {moment if pictures else 0}".encode()).hexdigest()[:16]
    known = before or {}
    return [
        no_update if known.get(name) == signatures[name] else part for name, part in drawn.items()
    ], signatures
