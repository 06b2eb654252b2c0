// For callbacks that ask again and again: Dash walks through the whole page for everything that it is told, also where
// nothing is new.
(function () {
  "use strict";

  const shown = new WeakMap(); // per element: what it was told last; one that is drawn anew knows nothing

  const same = (one, other) => one === other || JSON.stringify(one) === JSON.stringify(other);

  // the values that are not those of the last time; for the others, and where there are none, nothing is told
  window.classpulseChanges = function (id, values) {
    const element = document.getElementById(id);
    const before = element && shown.get(element);
    if (element) shown.set(element, values);
    if (!before) return values;
    const no = window.dash_clientside.no_update;
    const changes = values.map((value, place) => (same(value, before[place]) ? no : value));
    if (changes.every((change) => change === no)) throw window.dash_clientside.PreventUpdate;
    return changes;
  };
})();
