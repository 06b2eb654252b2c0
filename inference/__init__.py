"""What a tile shows: faces, expressions, head pose and names."""
