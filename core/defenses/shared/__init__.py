"""What several defenses share: checks, the choice of a threshold, channel masks, clean unlearning."""
