"""The one training loop and its parts: batches, objectives, schedules, weight perturbations, gradients.

    stream of batches -> objective -> (weight perturbation) -> optimiser with a schedule -> after the step

`train.train_steps` is the loop; `sgd.train_with_sgd` is it with SGD on augmented batches, as most repairs want it.
"""
