"""What several triggers share: the base classes, warps, and the optimiser of a learned one."""
