"""What readings mean: pure functions over numpy and pandas, no input or output."""
