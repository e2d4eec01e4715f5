"""Mixed-sample augmentation: transforms of a batch, one per file, and the loss on what they make."""
