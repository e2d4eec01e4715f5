"""The sidebar's line about the GPU, and a device that is forced by the environment."""

from __future__ import annotations

import pytest
import torch

from core import device
from core.device import GPU
from lab import loading
from models import Classifier
from tests.ui.conftest import fine, until


def line(app) -> list[str]:
    return [block.value for block in app.sidebar.caption if ":material/memory:" in block.value]


def test_a_gpu_is_named_with_its_memory(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "gpu", lambda found: GPU("NVIDIA H200", 150_000_000_000, 9_900_000_000))
    assert line(fine(visit("defend.py"))) == [":material/memory: NVIDIA H200, 140 GiB, 9.2 GiB free"]


def test_nothing_is_said_of_a_cpu(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERTURB_DEVICE", "cpu")
    assert line(fine(visit("defend.py"))) == []


@pytest.mark.parametrize(("forced", "said"), [("tpu", "names no device"), ("cuda:99", "CUDA GPU")])
def test_a_device_that_is_not_there_is_told_in_one_sentence(
    visit, monkeypatch: pytest.MonkeyPatch, forced: str, said: str
) -> None:
    monkeypatch.setenv("PERTURB_DEVICE", forced)
    monkeypatch.setattr(loading.classifiers, "_held", loading.classifiers._held.__class__())
    monkeypatch.setattr(loading.image_sets, "_held", loading.image_sets._held.__class__())
    app = visit("defend.py")
    assert not app.exception and line(app) == []
    (error,) = app.error
    assert error.value.startswith("PERTURB_DEVICE = ") and said in error.value


def test_a_run_whose_batches_did_not_fit_says_so_below_what_came_out(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Classifier.forward

    def narrow(self: Classifier, x: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled() and self.training and len(x) > 6:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return forward(self, x)

    monkeypatch.setattr(Classifier, "forward", narrow)
    app = visit("defend.py", method="FineTuning", finetuning__steps="2", finetuning__selection="fixed", seed="77")
    app.button(key="defend-start").click().run()
    app = fine(until(app, "defend", "done"))
    (told,) = [block.value for block in app.main.caption if ":material/memory:" in block.value]
    assert "in parts of at most" in told


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, which this machine lacks")
def test_the_gpu_of_this_machine_is_named(visit) -> None:
    (told,) = line(fine(visit("defend.py")))
    assert torch.cuda.get_device_name() in told and told.endswith("GiB free")
