"""Re-activation: bring back a backdoor that a defense left dormant."""
