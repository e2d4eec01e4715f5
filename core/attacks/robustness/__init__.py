"""How robust a network is: accuracy under attack against the size of the change."""
