"""Where light comes in: sources of frames, the grid of tiles, and the loop that reads them."""
