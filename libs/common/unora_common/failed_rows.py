"""Jobs say which of their rows failed. Such a row holds up no other, so its error ends no run; but a run in which rows
failed and nothing was done is no success.
"""

from __future__ import annotations

from contextvars import ContextVar


class Run:
    """One run of a job, also of the tasks that it starts."""

    def __init__(self) -> None:
        self.failed = 0
        """Rows that failed."""
        self.goes_on = False
        """Whether the job runs again at once although it did nothing: what failed is left out for a while."""
        self.is_interrupted = False
        """Whether a batch failed as a whole, and a smaller one is tried next."""


_run: ContextVar[Run | None] = ContextVar("unora_job_run", default=None)


def begin() -> Run:
    """Begins a run of a job in the current task."""
    run = Run()
    _run.set(run)
    return run


def row_failed(*, goes_on: bool = False) -> None:
    """A row of the current run failed. `goes_on` says that the others are tried at once, even if nothing was done: only
    where the row is left out for a while, since the job would otherwise run without a pause.
    """
    if run := _run.get():
        run.failed += 1
        run.goes_on |= goes_on


def batch_failed() -> None:
    """A batch of the current run failed as a whole. A part of it is tried at once."""
    if run := _run.get():
        run.goes_on = run.is_interrupted = True
