// What the browser does by itself: the clock of the bar (true even when the server is gone), keys, links in the grid.
(function () {
  "use strict";

  const STARTING_SECONDS = 60;
  const RESTARTING_SECONDS = 60;
  const OLD =
    "What stands below is old. A reading that hangs is started again by itself; if this stays, stop the class and " +
    "start it again: within ten minutes the same session goes on.";
  const FORBIDDEN = "The browser forbids notifications of this page: allow them in its settings.";
  const UNANSWERED = "The browser's question was not answered: press once more, and allow notifications.";
  let noteBegun = null;
  let known = null; // the episodes that this page has seen
  let audio = null;

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

  // the button that was pressed or the field that was chosen in, its value, and the parts of its id; null where a list
  // was only drawn anew
  function pressed() {
    const context = window.dash_clientside.callback_context;
    const first = context.triggered.find((one) => one.value);
    if (!first) return null;
    const element = first.prop_id.slice(0, first.prop_id.lastIndexOf("."));
    return Object.assign({ element: element, value: first.value }, element.startsWith("{") ? JSON.parse(element) : {});
  }

  function remembered(name) {
    try {
      return window.localStorage.getItem("classpulse-" + name) === "on";
    } catch (error) {
      return false; // storage is blocked: everything stays off
    }
  }

  function remember(name, on) {
    try {
      window.localStorage.setItem("classpulse-" + name, on ? "on" : "off");
    } catch (error) {
      // storage is blocked
    }
  }

  // two soft notes, made here: about as loud as a pen that is put down
  function chime() {
    const Context = window.AudioContext || window.webkitAudioContext;
    if (!Context) return;
    audio = audio || new Context();
    if (audio.state === "suspended") audio.resume();
    [0, 0.16].forEach(function (delay, step) {
      const tone = audio.createOscillator();
      const loudness = audio.createGain();
      const at = audio.currentTime + 0.02 + delay;
      tone.frequency.value = step ? 659.3 : 523.3;
      loudness.gain.setValueAtTime(0, at);
      loudness.gain.linearRampToValueAtTime(0.05, at + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.4);
      tone.connect(loudness).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.45);
    });
  }

  // running time, age of the data, and whether the page is grey
  function bar(pulse) {
    if (!pulse || !pulse.session) return ["", "", "cp-live", "cp-stale-note cp-hidden", "", ""];
    const now = Date.now();
    const running = "running " + duration((now - pulse.started) / 1000);
    const read = Boolean(pulse.last);
    // before the first interval the models are loaded, which takes longer than an interval
    const since = read ? pulse.last : Math.max(pulse.beat || 0, pulse.started);
    const age = (now - since) / 1000;
    if (pulse.condition === "stopped") {
      const advice = pulse.unknown ? pulse.unknown.text : "";
      return [running, "stopped", "cp-live cp-stale", "cp-stale-note", "Stopped at " + clock(pulse.condition_at), advice];
    }
    // recovery comes before the alarm: the notice says what is going on
    if (pulse.condition === "restarting" && (now - pulse.condition_at) / 1000 <= RESTARTING_SECONDS) {
      return [running, "starting again", "cp-live", "cp-stale-note cp-hidden", "", ""];
    }
    if (age <= (read ? pulse.stale_after : STARTING_SECONDS)) {
      const heard = pulse.paused ? "paused" : "last data " + duration(age) + " ago";
      const state = read ? heard : pulse.stage || "starting";
      return [running, state, "cp-live", "cp-stale-note cp-hidden", "", ""];
    }
    const text = "No data since " + clock(since);
    const said = text + " (" + duration(age) + ")";
    return [running, text.toLowerCase(), "cp-live cp-stale", "cp-stale-note", said, OLD];
  }

  // what could not be answered: of a page that asks once, until it is left; of what asks again, until that goes well
  const faults = { kept: null, passing: null, at: 0, path: null };
  const FAULT_MILLISECONDS = 5000;

  // the scheme that the server was told; the system may change it in the middle of a class, in the evening
  let scheme = null;
  new MutationObserver(function () {
    if (!scheme) return;
    const viewer = window.dash_clientside.classpulse.viewer();
    if (viewer.scheme) window.dash_clientside.set_props("shell-viewer", { data: viewer });
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.classpulse = {
    fault: function (told, _count, path) {
      if (path !== faults.path) Object.assign(faults, { kept: null, passing: null, path: path });
      if (told && told.at !== faults.at) {
        faults.at = told.at;
        faults[told.polled ? "passing" : "kept"] = { title: told.title, text: told.text, since: Date.now() };
      }
      if (faults.passing && Date.now() - faults.passing.since > FAULT_MILLISECONDS) faults.passing = null;
      const shown = faults.kept || faults.passing;
      const says = shown ? ["cp-fault", shown.title, shown.text] : ["cp-fault cp-hidden", "", ""];
      return window.classpulseChanges("fault-banner", says);
    },

    // who looks: the scheme in use and the time zone (the switch reports "light" until it is used, the page knows)
    viewer: function () {
      const shown = document.documentElement.getAttribute("data-mantine-color-scheme") || "light";
      if (shown === scheme) return window.dash_clientside.no_update;
      scheme = shown;
      return { scheme: shown, zone: Intl.DateTimeFormat().resolvedOptions().timeZone || null };
    },

    // the tab is called like its page; on a phone the bar has more pages than it shows: the present one is moved into sight
    current: function () {
      window.requestAnimationFrame(function () {
        const link = document.querySelector(".cp-nav [aria-current]");
        document.title = link ? link.textContent + " · classpulse" : "classpulse";
        if (!link) return;
        const bar = document.querySelector(".cp-nav");
        const [inner, outer] = [link.getBoundingClientRect(), bar.getBoundingClientRect()];
        bar.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
      });
      return window.dash_clientside.no_update;
    },

    // the bar of the running class, asked each second; and the session alone, and with its name, mode and pause: what
    // depends on them looks only when they change
    tick: function (_count, pulse) {
      const no = window.dash_clientside.no_update;
      const stands = pulse && { session: pulse.session, name: pulse.name, mode: pulse.mode, paused: pulse.paused };
      return window.classpulseChanges("now-live", [...bar(pulse), pulse ? pulse.session : no, pulse ? stands : no]);
    },

    // a press in a list, for its callback: one that the list being drawn anew does not take back
    press: function () {
      const press = pressed();
      return press ? Object.assign(press, { at: Date.now() }) : window.dash_clientside.no_update;
    },

    // what to do with the notes: write what stands in the field (the component tells its value a little later) since
    // its typing began, mark a topic, edit, delete, undo
    note: function () {
      const press = pressed();
      const field = document.getElementById("now-note");
      if (!press || !field) return window.dash_clientside.no_update;
      const order = { do: "cancel", sent: Date.now() };
      if (press.type === "now-topic") {
        return Object.assign(order, { do: "topic", text: document.getElementById(press.element).textContent });
      }
      if (press.type === "now-note-edit") return Object.assign(order, { do: "edit", note: press.note });
      if (press.type === "now-note-delete") return Object.assign(order, { do: "delete", note: press.note });
      if (press.element === "now-note-undo") return Object.assign(order, { do: "undo" });
      const begun = noteBegun || Date.now();
      noteBegun = null;
      if (press.element === "now-note-cancel") return order;
      const kind = press.element === "now-note-topic" ? "topic" : "note";
      return Object.assign(order, { do: "write", text: field.value, begun: begun, kind: kind });
    },

    // the field says what its button does, and has the focus while there is something to edit
    editing: function (note) {
      const edits = note !== null && note !== undefined;
      if (edits) window.setTimeout(function () { document.getElementById("now-note").focus(); }, 50);
      return [edits ? "Save" : "Add note", edits ? "cp-hidden" : "", edits ? "" : "cp-hidden"];
    },

    undoable: function (note) {
      return note ? "cp-text-button" : "cp-hidden";
    },

    // the switches for sound and notification, as this browser remembers them; off until somebody switches them on
    switches: function () {
      const press = pressed();
      const no = window.dash_clientside.no_update;
      if (press && press.element === "now-sound") {
        remember("sound", !remembered("sound"));
        if (remembered("sound")) chime();
      }
      let said = "";
      if (press && press.element === "now-notify") {
        const on = !remembered("notify");
        if (!on) remember("notify", false);
        else if (!("Notification" in window)) said = "This browser has no notifications.";
        else if (Notification.permission === "granted") remember("notify", true);
        else if (Notification.permission === "denied") said = FORBIDDEN;
        else {
          return Notification.requestPermission().then(function (answer) {
            remember("notify", answer === "granted");
            const why = { granted: "", denied: FORBIDDEN }[answer];
            return [no, String(remembered("notify")), why === undefined ? UNANSWERED : why];
          });
        }
      }
      return [String(remembered("sound")), String(remembered("notify")), said];
    },

    // a sound and a notification where an episode is new: never for what stood there when the page was opened, never
    // while nothing is observed
    alert: function (asking) {
      const no = window.dash_clientside.no_update;
      if (!asking) return no;
      const first = known === null || known.session !== asking.session;
      const fresh = first ? [] : asking.episodes.filter((one) => !known.episodes.has(one));
      if (first) known = { session: asking.session, episodes: new Set() };
      asking.episodes.forEach((one) => known.episodes.add(one));
      if (!fresh.length || asking.quiet) return no;
      if (remembered("sound")) chime();
      // no name: a notification may be seen by who sees the shared screen
      if (remembered("notify") && "Notification" in window && Notification.permission === "granted") {
        new Notification("classpulse", { body: "Somebody new needs a look.", tag: "classpulse", silent: true });
      }
      return Date.now();
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

  // the answer to a card
  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-mark]");
    if (!button) return;
    const { mark, episodes } = button.dataset;
    window.dash_clientside.set_props("now-answer", { data: { mark: mark, episodes: episodes.split(" "), sent: Date.now() } });
  });

  // A card that leaves a list takes the focus with it: give it back to one of the same seat.
  let focused = null;
  document.addEventListener("focusin", function (event) {
    const row = event.target.closest("#now-looks li, #now-aside li");
    focused = row && { id: event.target.id, seat: row.dataset.seat };
  });
  document.addEventListener("focusout", function (event) {
    // who leaves the list wants no focus back; what was taken away with the list did not leave
    window.setTimeout(function () {
      if (event.target.isConnected && document.activeElement === document.body) focused = null;
    });
  });
  new MutationObserver(function () {
    // a file field that Dash makes has no name of its own: it gets that of its button
    document.querySelectorAll('input[type="file"]:not([aria-label])').forEach(function (field) {
      field.setAttribute("aria-label", field.parentElement.textContent.trim() || "File");
    });
    if (!focused || document.activeElement !== document.body) return;
    const rows = Array.from(document.querySelectorAll("#now-looks li, #now-aside li"));
    const row = rows.find((one) => one.dataset.seat === focused.seat);
    const next = document.getElementById(focused.id) || (row && row.querySelector("button"));
    if (next) next.focus({ preventScroll: true });
  }).observe(document.documentElement, { childList: true, subtree: true });

  document.addEventListener("input", function (event) {
    if (event.target.id !== "now-note") return;
    if (!event.target.value) noteBegun = null;
    else if (noteBegun === null) noteBegun = Date.now();
  });

  document.addEventListener("keydown", function (event) {
    const target = event.target;
    // also on the button that began to edit, until the field has the focus
    if (event.key === "Escape" && (target === document.body || target.closest("#now-note, .cp-notes"))) {
      const cancel = document.getElementById("now-note-cancel");
      if (cancel && !cancel.classList.contains("cp-hidden")) cancel.click();
      if (target.id === "now-note") target.blur();
    }
    if (event.key !== "n" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
    const field = document.getElementById("now-note");
    if (field) {
      event.preventDefault();
      field.focus();
    }
  });
})();
