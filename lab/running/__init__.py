"""Running experiments: the job pool, the lock on torch, the record of a run, and what a stopped one leaves."""
