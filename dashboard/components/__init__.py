"""Parts of the pages. Each function takes data and returns layout, nothing else."""
