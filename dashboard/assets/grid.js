// The grid's bundle is a third of all scripts, and two pages have a grid: it is loaded by the first one that is drawn.
(function () {
  "use strict";

  const Grid = window.React.lazy(function () {
    return new Promise(function (done, failed) {
      const script = document.createElement("script");
      script.src = document.getElementById("cp-grid").dataset.src;
      script.onload = function () {
        const loaded = window.dash_ag_grid;
        // Dash must go on finding the same component, or it would draw the grid anew
        window.dash_ag_grid = Object.assign({}, loaded, { AgGrid: AgGrid });
        done({ default: loaded.AgGrid });
      };
      script.onerror = function () {
        failed(new Error("the grid could not be loaded"));
      };
      document.head.appendChild(script);
    });
  });

  function AgGrid(props) {
    return window.React.createElement(
      window.React.Suspense,
      { fallback: null },
      window.React.createElement(Grid, props),
    );
  }
  AgGrid.dashRenderType = true; // as the component itself: it wants to know who changed its properties

  window.dash_ag_grid = { AgGrid: AgGrid };
})();
