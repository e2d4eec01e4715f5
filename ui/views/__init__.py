"""What a kind of experiment shows as pictures."""
