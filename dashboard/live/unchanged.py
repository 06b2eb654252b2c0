"""Leaving alone what would look the same: what is drawn anew loses its focus, is read out again and folds up."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dash import no_update
from plotly.utils import PlotlyJSONEncoder


@dataclass(frozen=True, slots=True)
class Drawn:
    """A part that is only made where it would look different.

    Attributes:
        of: what it is drawn anew for (components or JSON types); what else is in it waits until then.
        draw: makes it.
    """

    of: Any
    draw: Callable[[], Any]


def only_changed(
    parts: Mapping[str, Any], before: Mapping[str, str] | None
) -> tuple[list[Any], dict[str, str]]:
    """What to hand to the page, and the signatures to hand in as `before` the next time.

    Args:
        parts: per name what is to be shown: components, text or None, or how it is `Drawn`.
        before: the signatures that came with the last one, None for the first time.

    Returns:
        One output per entry of `parts`, `no_update` where it looks like before; and the signatures.
    """
    known = before or {}
    signatures: dict[str, str] = {}
    shown: list[Any] = []
    for name, part in parts.items():
        of = part.of if isinstance(part, Drawn) else part
        signatures[name] = hashlib.sha256(json.dumps(of, cls=PlotlyJSONEncoder).encode()).hexdigest()[:16]
        if known.get(name) == signatures[name]:
            shown.append(no_update)
        else:
            shown.append(part.draw() if isinstance(part, Drawn) else part)
    return shown, signatures
