"""Runs: watching, finishing, stopping."""

import pytest

from core.runs import Progress, Run, finish, mapped


def counting(n: int, closed: list[str]) -> Run[str]:
    try:
        for step in range(1, n + 1):
            yield Progress("count", step, n, {"half": step / 2})
        return "done"
    finally:
        closed.append("closed")


@pytest.mark.parametrize("bar", [False, True])
def test_finish_returns_the_result(bar: bool, capsys: pytest.CaptureFixture[str]) -> None:
    closed: list[str] = []
    assert finish(counting(3, closed), bar=bar) == "done"
    assert closed == ["closed"]
    assert ("count" in capsys.readouterr().err) == bar


def test_closing_runs_the_cleanup() -> None:
    closed: list[str] = []
    run = counting(3, closed)
    next(run)
    run.close()
    assert closed == ["closed"]


def test_finish_lets_errors_through_and_closes() -> None:
    def failing() -> Run[None]:
        yield Progress("fail", 1, 1)
        raise ValueError("one sentence")

    with pytest.raises(ValueError, match="one sentence"):
        finish(failing(), bar=True)


def test_a_mapped_run_has_its_progress_changed_and_its_result_kept() -> None:
    closed: list[str] = []
    run = mapped(counting(2, closed), lambda now: Progress(now.stage, now.step + 1, 3))
    assert [next(run).step, next(run).step] == [2, 3]
    with pytest.raises(StopIteration) as end:
        next(run)
    assert end.value.value == "done" and closed == ["closed"]


def test_closing_a_mapped_run_closes_the_run_inside() -> None:
    closed: list[str] = []
    run = mapped(counting(3, closed), lambda now: now)
    next(run)
    run.close()
    assert closed == ["closed"]
