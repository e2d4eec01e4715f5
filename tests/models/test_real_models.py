"""Real pretrained models and real pictures from the offline Hub folder."""

from __future__ import annotations

from pathlib import Path

import pytest

import models
from core.data import load_data
from core.metrics import evaluate
from core.networks.model_state import batch_norms, folded, require_batch_statistics
from core.networks.predictions import predict
from tests.support.hubs import local_hub


@pytest.mark.parametrize(("name", "least"), [("cifar_resnet20", 0.88), ("cifar_resnet32", 0.88)])
def test_cifar_resnets_reach_their_accuracy(name: str, least: float, shared_hub: Path, tmp_path: Path) -> None:
    """On all 1,000 test pictures they have 91.5 % and 92.8 %; here on 200."""
    with local_hub(shared_hub, tmp_path):
        model = models.load(f"hf:akamaster/{name}")
        scores = evaluate(model, load_data("cifar10", "test", limit=200))
    assert scores.n == 200 and scores.acc >= least
    assert model.card.licence == "bsd-2-clause" and model.class_names[-1] == "truck"


@pytest.mark.parametrize(("name", "size"), [("mobilenet_v2_1.0_224", 224), ("mobilenet_v1_0.75_192", 192)])
def test_mobilenets_know_what_they_see(name: str, size: int, shared_hub: Path, tmp_path: Path) -> None:
    """On all 100 pictures they are right on 86 and 82; here on 12."""
    with local_hub(shared_hub, tmp_path):
        model = models.load(f"hf:google-coral/{name}")
        data = load_data("hf:imagenet-sample/imagenet-100", "test", limit=12, size=model.input_size[-1])
    assert data.images.shape == (12, 3, size, size)
    assert int((predict(model, data.images).argmax(1) == data.labels).sum()) >= 8
    assert all(folded(norm) for norm in batch_norms(model))
    with pytest.raises(ValueError, match="batch-norm statistics"):
        require_batch_statistics(model, "CLP")
