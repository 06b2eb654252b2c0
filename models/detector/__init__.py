"""The face detector's workshop: pseudo-labels, composed galleries, the network, its training and its measurement."""
