// What the browser does by itself on the page Students. Of a class list on its way from the computer to the page, too
// large a file is told here: the server would turn it away.
(function () {
  "use strict";

  const MOST_CHARACTERS = 900000;

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.classpulseStudents = {
    // what the teacher wants of the switch; nothing where it only shows what is kept
    agreed: function (checked, shown) {
      if (!shown || Boolean(checked) === shown.agreed) return window.dash_clientside.no_update;
      return { agreed: Boolean(checked), at: Date.now() };
    },

    file: function (contents, name) {
      if (!contents) return window.dash_clientside.no_update;
      const file = { name: String(name || "file"), at: Date.now() };
      if (contents.length > MOST_CHARACTERS) file.megabytes = (contents.length * 0.75) / 1e6;
      else file.contents = contents;
      return file;
    },
  };
})();
