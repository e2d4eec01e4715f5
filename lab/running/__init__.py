"""Running experiments: the job pool, the lock on torch, the record of a run, and the results that are kept."""
