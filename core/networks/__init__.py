"""A network seen from outside: its predictions, its state, its channels, feature maps and last layer."""
