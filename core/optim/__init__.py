"""Training: the one loop, gradients in parts, schedules, batch augmentation, weight perturbations."""
