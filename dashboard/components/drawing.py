"""A part of a page that is drawn in one piece: for what is drawn anew again and again.

Dash keeps a wrapper around every component, and walks through all of them for each value that changes: a gallery of 49
seats would be 150 of them. The browser's half is `assets/drawing.js`.
"""

from typing import Any, ClassVar

from dash.development.base_component import Component


class Drawing(Component):  # type: ignore[misc]  # Dash tells no types
    """A `div` with components of `dash.html` in it, which Dash sees as one; no callback can ask for one of those.

    Args:
        id: of the `div`.
        parts: components of `dash.html`, text, or lists of them; None leaves it empty.
        className: of the `div`.
        attributes: `role` and `aria-` attributes of it.
    """

    _namespace = "classpulse_pages"
    _type = "Drawing"
    _children_props: ClassVar[list[str]] = []
    _base_nodes: ClassVar[list[str]] = ["children"]

    def __init__(
        self,
        id: str,  # noqa: A002  # Dash calls it so
        parts: Any = None,
        *,
        className: str | None = None,  # noqa: N803  # and this
        **attributes: str,
    ) -> None:
        self._prop_names = ["id", "parts", "className", "role"]
        self._valid_wildcard_attributes = ["aria-"]
        self.available_properties = self._prop_names
        self.available_wildcard_properties = self._valid_wildcard_attributes
        named = {} if className is None else {"className": className}
        super().__init__(id=id, parts=parts, **named, **attributes)
