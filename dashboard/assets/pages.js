// What the browser does by itself: the clock of the bar (true even when the server is gone), keys, links in the grid.
(function () {
  "use strict";

  const STARTING_SECONDS = 60;
  const RESTARTING_SECONDS = 60;
  let noteBegun = null;

  function duration(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    if (whole < 60) return whole + " s";
    const minutes = Math.floor(whole / 60);
    if (minutes < 60) return minutes + " min";
    return Math.floor(minutes / 60) + " h " + String(minutes % 60).padStart(2, "0") + " min";
  }

  function clock(milliseconds) {
    const at = new Date(milliseconds);
    return String(at.getHours()).padStart(2, "0") + ":" + String(at.getMinutes()).padStart(2, "0");
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.classpulse = {
    // who looks: the scheme in use and the time zone (the switch reports "light" until it is used, the page knows)
    viewer: function () {
      const shown = document.documentElement.getAttribute("data-mantine-color-scheme") || "light";
      return { scheme: shown, zone: Intl.DateTimeFormat().resolvedOptions().timeZone || null };
    },

    // running time, age of the data, and whether the page is grey
    tick: function (_count, pulse) {
      if (!pulse || !pulse.session) return ["", "", "cp-live", "cp-stale-note cp-hidden", ""];
      const now = Date.now();
      const running = "running " + duration((now - pulse.started) / 1000);
      const read = Boolean(pulse.last);
      // before the first interval the models are loaded, which takes longer than an interval
      const since = read ? pulse.last : Math.max(pulse.beat || 0, pulse.started);
      const age = (now - since) / 1000;
      if (pulse.condition === "stopped") {
        const text = "Stopped at " + clock(pulse.condition_at) + ". ";
        return [running, "stopped", "cp-live cp-stale", "cp-stale-note", text + (pulse.reason || "")];
      }
      // recovery comes before the alarm: the notice says what is going on
      if (pulse.condition === "restarting" && (now - pulse.condition_at) / 1000 <= RESTARTING_SECONDS) {
        return [running, "starting again", "cp-live", "cp-stale-note cp-hidden", ""];
      }
      if (age <= (read ? pulse.stale_after : STARTING_SECONDS)) {
        const state = read ? "last data " + duration(age) + " ago" : pulse.stage || "starting";
        return [running, state, "cp-live", "cp-stale-note cp-hidden", ""];
      }
      const text = "No data since " + clock(since);
      return [running, text.toLowerCase(), "cp-live cp-stale", "cp-stale-note", text + " (" + duration(age) + ")."];
    },

    // a note as it stands in its field (the component tells its value a little later) and when its typing began
    note: function () {
      const field = document.getElementById("now-note");
      const no = window.dash_clientside.no_update;
      if (!field || !window.dash_clientside.callback_context.triggered.length) return no;
      const begun = noteBegun;
      noteBegun = null;
      return { text: field.value, begun: begun || Date.now(), sent: Date.now() };
    },

    // the text that the grid looks for in every column
    search: function (text, options) {
      return Object.assign({}, options, { quickFilterText: text || "" });
    },
  };

  // words of the grid's cells
  const formats = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  formats.cpDuration = (seconds) => (seconds === null || seconds === undefined ? "running" : duration(seconds));
  formats.cpPercent = (share) => (share === null || share === undefined ? "–" : Math.round(share * 100) + " %");

  // a cell that opens its session; React writes the text, so a name is never markup
  const functions = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  functions.SessionLink = function (props) {
    const href = "/sessions/" + encodeURIComponent(props.data.id);
    return window.React.createElement(
      "a",
      {
        href: href,
        className: "cp-link",
        onClick: function (event) {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          window.history.pushState({}, "", href);
          window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
        },
      },
      props.value
    );
  };

  document.addEventListener("input", function (event) {
    if (event.target.id !== "now-note") return;
    if (!event.target.value) noteBegun = null;
    else if (noteBegun === null) noteBegun = Date.now();
  });

  document.addEventListener("keydown", function (event) {
    const target = event.target;
    if (event.key === "Escape" && target.id === "now-note") target.blur();
    if (event.key !== "n" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
    const field = document.getElementById("now-note");
    if (field) {
      event.preventDefault();
      field.focus();
    }
  });
})();
