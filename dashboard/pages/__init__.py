"""One module per page: `layout(...)` returns what it shows, `register(app, engine, ...)` its callbacks."""
