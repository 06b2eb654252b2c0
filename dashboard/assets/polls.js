// Questions that a page asks again and again: each once the one before is answered.
(function () {
  "use strict";

  // after so long an answer is not expected any more: the computer may have slept meanwhile
  const GIVEN_UP_MILLISECONDS = 30000;
  let asked = {};

  // a server that is gone answers nothing: whatever was asked may be asked again at once
  const fetch = window.fetch;
  window.fetch = function () {
    return fetch.apply(window, arguments).catch(function (error) {
      asked = {};
      throw error;
    });
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.classpulse_polls = {
    // the tick, unless one of those that must have answered is still at work
    next: function (tick, ...waiting) {
      const id = window.dash_clientside.callback_context.outputs_list.id;
      const now = Date.now();
      if (waiting.some(Boolean) && now - (asked[id] || 0) < GIVEN_UP_MILLISECONDS) {
        return window.dash_clientside.no_update;
      }
      asked[id] = now;
      return tick;
    },
  };
})();
