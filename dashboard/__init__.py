"""What is seen: the Dash pages, figures and exports."""
