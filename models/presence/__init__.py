"""The presence network's workshop: what the detector marks in photographs, faces and others, training and export."""
