// The class in the bar of every page, and the question before a stop.
(function () {
  "use strict";

  const STARTING_SECONDS = 60;

  function ago(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    if (whole < 60) return whole + " s ago";
    const minutes = Math.floor(whole / 60);
    return minutes < 60 ? minutes + " min ago" : Math.floor(minutes / 60) + " h ago";
  }

  function words(state, now) {
    const age = (now - (state.last || state.opened)) / 1000;
    switch (state.phase) {
      case "starting":
        return ["starting", "busy"];
      case "stopping":
        return ["ending", "busy"];
      case "restarting":
        return ["starting again", "busy"];
      case "failed":
      case "stopped":
        return ["failed", "bad"];
      case "paused":
        return ["paused", "still"];
      default:
        if (!state.last) return age > STARTING_SECONDS ? ["no data yet", "bad"] : ["starting", "busy"];
        return [ago(age), age > state.stale_after ? "bad" : "good"];
    }
  }

  // name, state and looks of the chip, its link to a report, and whether there is something to stop
  function chip(state, path) {
    const none = ["", "", "cp-run cp-hidden", "/sessions", "cp-hidden"];
    if (!state) return [...none, "cp-hidden"];
    if (state.phase === "idle") {
      if (!state.ended) return [...none, "cp-hidden"];
      return [state.name, "has ended", "cp-run cp-run-idle", "/sessions/" + state.ended, "cp-link", "cp-hidden"];
    }
    const stoppable = ["starting", "running", "paused", "restarting", "stopped"].includes(state.phase);
    const stop = stoppable ? "cp-run-stop" : "cp-hidden";
    const [text, look] = words(state, Date.now());
    // Now says so itself, to the second, and has its own buttons
    if (path === "/" && state.session !== null) return [...none, "cp-hidden"];
    return [state.name, text, "cp-run cp-run-" + look, none[3], none[4], stop];
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.classpulse_start = {
    // asked every two seconds
    chip: function (_count, state, path) {
      return window.classpulseChanges("running-chip", chip(state, path));
    },

    // the source that is offered, unless one was chosen meanwhile
    first: function (offered, chosen) {
      return chosen || !offered ? window.dash_clientside.no_update : offered;
    },

    // to the class once its first interval is there, but only where it was started on this page: who only looks at it
    // is not sent away
    show_the_class: function (_tick, state, started) {
      return started && state && state.last ? "/" : window.dash_clientside.no_update;
    },

    // a stop is asked for once; the window closes with either answer
    ask: function () {
      const no = window.dash_clientside.no_update;
      // a button that has only come onto the page was not pressed
      const pressed = window.dash_clientside.callback_context.triggered.filter((one) => one.value);
      const told = pressed.map((one) => one.prop_id);
      if (!told.length) return [no, no];
      const state = arguments[arguments.length - 1] || {};
      if (told.some((id) => /-stop\./.test(id))) {
        const name = state.name || "The class";
        return [true, name + " is not read any more after this. What was read is kept, and its report is ready at once."];
      }
      return [false, no];
    },
  };
})();
