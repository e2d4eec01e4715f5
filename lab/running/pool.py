"""Long runs in the background: one pool for the process, a fair queue, and a Stop that takes one step.

A page submits a recipe and draws what the job says; it never waits. Two visitors who ask for the same recipe watch
one job. A finished result is kept by its key, so thirty students who move the same slider compute once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from core.data import transfers
from core.runs import Run
from lab.errors import sentence
from lab.lru_cache import LRUCache
from lab.recipes import Recipe
from lab.results import Result, kept
from lab.running.compute_lock import ComputeLock, compute_lock, cores
from lab.running.job import Busy, Job
from lab.running.memory import give_back
from lab.running.pace import paces
from lab.running.stopped import stopped
from lab.settings import Settings, settings

log = logging.getLogger(__name__)

__all__ = ["Busy", "Job", "JobPool", "pool"]


class JobPool:
    """Workers, a queue, and the finished jobs. All methods may be called from any thread.

    Parameters
    ----------
    limits : workers, queue length, jobs per visitor, how long results are kept
    lock : held during every step
    store : where finished results are kept
    finished : called with each Result that was not stopped (the history's `add`); its failures are logged
    """

    def __init__(
        self,
        limits: Settings = settings,
        lock: ComputeLock = compute_lock,
        store: LRUCache[Result] = kept,
        finished: Callable[[Result], Any] | None = None,
    ):
        import torch

        self.limits, self.lock, self.kept, self.finished = limits, lock, store, finished
        self.cores = limits.threads or torch.get_num_threads()
        self._changed = threading.Condition(threading.RLock())
        self._queue: list[Job] = []
        self._running: list[Job] = []
        self._closed = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(limits.workers)]
        for thread in self._threads:
            thread.start()

    def submit(self, recipe: Recipe, visitor: str) -> Job:
        """The job of this recipe: a finished or shared one where there is one, else a new one.

        Raises Busy (a ValueError, one sentence) when the visitor or the queue is at the limit.
        """
        key = recipe.key()
        with self._changed:
            if self._closed:
                raise Busy("The lab is shutting down; try again in a minute.")
            result = self.kept.get(key)
            if result is not None:
                return Job(recipe, key, self).finish(result)
            self._sweep()
            job = next((j for j in self._active() if j.key == key and not j.cancelled), None)
            if job is None or visitor not in job.watchers:
                self._admit(visitor, new=job is None)
            if job is None:
                job = Job(recipe, key, self)
                self._queue.append(job)
            job.watchers[visitor] = time.monotonic()
            self._changed.notify_all()
            return job

    def jobs_of(self, visitor: str) -> list[Job]:
        """The visitor's running and waiting jobs."""
        with self._changed:
            return [job for job in self._active() if visitor in job.watchers]

    def result(self, recipe: Recipe) -> Result | None:
        """The finished result of a recipe, where it is still kept."""
        return self.kept.get(recipe.key())

    def place(self, job: Job) -> int:
        """1 for the job that comes next, 0 for one that does not wait."""
        with self._changed:
            return self._queue.index(job) + 1 if job in self._queue else 0

    def leave(self, job: Job, visitor: str) -> None:
        """Take `visitor` off the job's watchers; a job that nobody watches is stopped."""
        with self._changed:
            job.watchers.pop(visitor, None)
            if not job.watchers:
                self._cancel(job)

    def shutdown(self, wait: float = 10.0) -> None:
        """Stop everything and wait until the workers have closed their runs."""
        with self._changed:
            self._closed = True
            for job in self._active():
                self._cancel(job)
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(wait)

    def _active(self) -> list[Job]:
        return self._running + self._queue

    def _admit(self, visitor: str, new: bool) -> None:
        held, limits = len(self.jobs_of(visitor)), self.limits
        if held >= limits.running_per_visitor + limits.waiting_per_visitor:
            raise Busy(f"You already have {held} runs going or waiting; stop one, or wait until it has finished.")
        if new and len(self._queue) >= limits.queue_length:
            raise Busy(f"{len(self._queue)} runs are waiting already, which is the limit; try again in a minute.")

    def _cancel(self, job: Job) -> None:
        job.cancelled = True
        if job in self._queue:
            self._queue.remove(job)
            job.state = "stopped"

    def _sweep(self) -> None:
        """Close what nobody has looked at for a while."""
        oldest = time.monotonic() - self.limits.abandon_after
        for job in self._active():
            if all(seen < oldest for seen in job.watchers.values()):
                self._cancel(job)

    def _next(self) -> Job | None:
        """The first job that waits and whose watchers are not all served already; None at the end."""
        with self._changed:
            while not self._closed:
                self._sweep()
                job = next((job for job in self._queue if self._may_run(job)), None)
                if job is not None:
                    self._queue.remove(job)
                    self._running.append(job)
                    job.state, job.record.start = "running", time.monotonic()
                    return job
                self._changed.wait()
            return None

    def _may_run(self, job: Job) -> bool:
        limit = self.limits.running_per_visitor
        return any(sum(who in other.watchers for other in self._running) < limit for who in job.watchers)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._drive(job)
            except BaseException as error:
                job.error, state = sentence(error), "failed"
            else:
                state = "stopped" if job.cancelled and job.result is None else "done"
            if state == "stopped":
                job.result = stopped(job.recipe, job.curve, job.progress, job.record.moments)
            if state == "done":
                self._report(job)  # first, so that a page which sees the end finds the run in the history
            with self._changed:
                self._running.remove(job)
                if state == "done" and job.result is not None:
                    self.kept.put(job.key, job.result)
                job.state = state
                self._changed.notify_all()
            give_back()

    def _drive(self, job: Job) -> None:
        """Run the job step by step; the lock is held during a step and never between two.

        A step that downloads something ends where the job is stopped.
        """
        job.pace = paces.of(job.recipe)
        run: Run[Result] = job.recipe.run(job.record)
        try:
            while not job.cancelled:
                with self.lock, cores(self.cores), transfers.stopping(lambda: job.cancelled):
                    job.note(next(run))
                with self._changed:
                    self._sweep()
        except StopIteration as end:
            job.result = end.value
        except transfers.Stopped:
            pass
        finally:
            with self.lock:
                run.close()

    def _report(self, job: Job) -> None:
        try:
            if self.finished is not None and job.result is not None:
                self.finished(job.result)
        except Exception:
            log.exception("a finished run could not be written to the history")


_pool: JobPool | None = None
_making = threading.Lock()


def pool() -> JobPool:
    """The process's pool, made when first asked for; finished runs go to the process's history."""
    global _pool
    with _making:
        if _pool is None:
            import torch

            from lab import history

            _pool = JobPool(finished=lambda result: history.history().add(result))
            torch.set_num_threads(1)  # for all threads but the workers
        return _pool
