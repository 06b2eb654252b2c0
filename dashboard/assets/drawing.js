// What `dashboard/components/drawing.py` hands over: components of dash.html, drawn by React without Dash around each.
// What did not change keeps its element, and with it the focus, the pointer and what is folded open.
(function () {
  "use strict";

  function drawn(part, place) {
    if (Array.isArray(part)) return part.map(drawn);
    if (part === null || typeof part !== "object") return part;
    const { children, ...given } = part.props;
    const named = Object.assign({ key: given.id || place }, given);
    return window.React.createElement(part.type.toLowerCase(), named, drawn(children === undefined ? null : children));
  }

  const passed = (name) => ["id", "className", "role"].includes(name) || name.startsWith("aria-");

  window.classpulse_pages = {
    Drawing: function (props) {
      const own = Object.fromEntries(Object.entries(props).filter(([name]) => passed(name)));
      return window.React.createElement("div", own, drawn(props.parts === undefined ? null : props.parts));
    },
  };
})();
