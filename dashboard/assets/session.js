// Where the session has ended, what an open page asks for is refused: then the page makes room for the login.
(function () {
  var ask = window.fetch;
  var leaving = false;
  window.fetch = function () {
    return ask.apply(this, arguments).then(function (answer) {
      if (answer.status !== 401) {
        return answer;
      }
      if (!leaving) {
        leaving = true;
        window.location.reload();
      }
      // nobody is there any more to make something of the refusal
      return new Promise(function () {});
    });
  };
})();
