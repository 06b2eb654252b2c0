"""The parts of the page Now: each its layout and its callbacks."""
