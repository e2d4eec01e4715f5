"""What several trainings share: crafted pictures, records of the epochs, augmentation, settings of SGD."""
