// A file that a page does not take is told: the field that Dash makes passes it over without a word.
(function () {
  "use strict";

  const REFUSALS = {
    "studio-upload": ["studio-problem", " is no picture: give a PNG or JPEG. The path of a recording is written below."],
    "students-upload": [
      "students-said",
      " is no CSV file: save the list as CSV first (a workbook itself, such as .xlsx, cannot be read).",
    ],
  };
  const SEVERAL = "Those are several files: give one.";

  function takes(kind, file) {
    if (kind.startsWith(".")) return file.name.toLowerCase().endsWith(kind);
    return kind.endsWith("/*") ? file.type.startsWith(kind.slice(0, -1)) : file.type === kind;
  }

  function look(target, files) {
    const zone = Object.keys(REFUSALS).find((id) => target.closest("#" + id));
    const field = zone && document.querySelector("#" + zone + " input[type=file]");
    if (!field || !files || !files.length) return;
    const [place, words] = REFUSALS[zone];
    const kinds = field.accept.split(",").map((kind) => kind.trim());
    const refused = Array.from(files).find((file) => !kinds.some((kind) => takes(kind, file)));
    const told = refused ? refused.name + words : files.length > 1 ? SEVERAL : null;
    if (told) window.dash_clientside.set_props(place, { children: told });
  }

  document.addEventListener("change", (event) => event.target.type === "file" && look(event.target, event.target.files), true);
  document.addEventListener("drop", (event) => look(event.target, event.dataTransfer && event.dataTransfer.files), true);
})();
