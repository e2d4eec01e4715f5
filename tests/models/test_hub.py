"""Loading: what is loaded is pinned and checked, what is not is refused in one sentence."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

import models
from core.data import transfers
from core.triggers import BadNets
from models import ModelError, load
from tests.support.hubs import NOWHERE, local_hub, point_at
from tests.support.local_hub import HubServer, serve

REF = "hf:owner/tiny"


def edit(repo: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change the config.json of a repository."""
    config = json.loads((repo / "config.json").read_text())
    change(config)
    (repo / "config.json").write_text(json.dumps(config))


def edit_weights(repo: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    state = load_file(repo / "model.safetensors")
    change(state)
    save_file(state, repo / "model.safetensors")


def refused(ref: str = REF) -> str:
    """The sentence with which a model is refused."""
    with pytest.raises(ModelError) as error:
        load(ref)
    said = str(error.value)
    assert "\n" not in said and said.endswith((".", "?")) and len(said) < 320
    return said


def test_a_hub_model_is_pinned_to_its_commit_and_equals_the_folder(server: HubServer, repo: Path) -> None:
    model, local = load(REF), load(str(repo))
    assert len(model.card.sha) == 40 and model.card.ref == f"{REF}@{model.card.sha}"
    assert (model.card.licence, model.card.data, model.card.backdoored) == ("mit", "scenes", True)
    assert (model.trigger, model.target, model.mode) == (BadNets(), 1, "all-to-one")
    assert model.class_names == ("ant", "bee", "cat") and model.input_size == (3, 32, 32)
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(model(images), local(images))
    assert not model.training and not any(parameter.requires_grad for parameter in model.parameters())


def test_a_pinned_cached_model_needs_no_request(server: HubServer) -> None:
    ref = load(REF).card.ref
    server.requests.clear()
    load(ref)
    assert server.requests == []


def test_a_cached_model_loads_without_the_hub(
    server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = load(REF).card.sha
    point_at(monkeypatch, NOWHERE, tmp_path / "home")
    assert load(REF).card.sha == sha
    assert load(f"{REF}@{sha}").card.sha == sha


def test_loading_leaves_the_global_random_state_alone(repo: Path) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    load(str(repo))
    assert torch.equal(before, torch.get_rng_state())


def test_pickles_are_refused_and_never_asked_for(server: HubServer, repo: Path) -> None:
    (repo / "model.safetensors").rename(repo / "pytorch_model.bin")
    assert "pickles, which can run code" in refused()
    assert not any(".bin" in request for request in server.requests)


def test_beside_safetensors_a_pickle_is_never_asked_for(server: HubServer, repo: Path) -> None:
    (repo / "pytorch_model.bin").write_bytes(b"not wanted")
    hostile = {"hf_hub_filename": "pytorch_model.bin", "custom_load": True, "file": "/etc/passwd"}
    edit(repo, lambda c: c["pretrained_cfg"].update(hostile))
    load(REF)
    assert not any(".bin" in request for request in server.requests)


HOSTILE: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "unknown architecture": (lambda c: c.update(architecture="resnet_of_nobody"), "does not know"),
    "architecture that is a source": (lambda c: c.update(architecture="hf-hub:owner/other"), "names no architecture"),
    "no architecture": (lambda c: c.pop("architecture"), "names no architecture"),
    "argument that opens a file": (lambda c: c["model_args"].update(checkpoint_path="/tmp/x.pth"), "checkpoint_path"),
    "absurd width": (lambda c: c["model_args"].update(width=8000), "do not fit"),
    "endless width": (lambda c: c["model_args"].update(width=10**9), "no sane value"),
    "other width": (lambda c: c["model_args"].update(width=8), "is [32], not [64]"),
    "other number of classes": (lambda c: c.update(num_classes=4), "4 classes but 3 class names"),
    "class number as text": (lambda c: c.update(num_classes="3"), "num_classes"),
    "names beyond the classes": (lambda c: c["pretrained_cfg"].update(label_names={"3": "b"}), "names a class 3"),
    "zero std": (lambda c: c["pretrained_cfg"].update(std=[0.2, 0, 0.2]), "std"),
    "one channel": (lambda c: c["pretrained_cfg"].update(input_size=[1, 32, 32]), "3 channels"),
    "huge input": (lambda c: c["pretrained_cfg"].update(input_size=[3, 32, 100000]), "pixels"),
    "unknown trigger": (lambda c: c["perturb"].update(trigger={"method": "os.system"}), "does not know"),
    "trigger with a strange knob": (lambda c: c["perturb"]["trigger"].update(command=1), "command"),
    "trigger out of range": (lambda c: c["perturb"]["trigger"].update(side=-5), "BadNets.side = -5"),
    "target that is no class": (lambda c: c["perturb"].update(target=3), "aims at class 3"),
    "unknown mode": (lambda c: c["perturb"].update(mode="some-to-none"), "some-to-none"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_strange_config_is_refused_in_a_sentence(case: str, repo: Path) -> None:
    change, said = HOSTILE[case]
    edit(repo, change)
    assert said in refused(str(repo))


BAD_WEIGHTS: dict[str, tuple[Callable[[dict[str, torch.Tensor]], Any], str]] = {
    "extra key": (lambda s: s.update(evil=torch.zeros(1)), "evil is too many"),
    "missing key": (lambda s: s.pop("linear.bias"), "linear.bias is missing"),
    "wrong shape": (lambda s: s.update({"linear.bias": torch.zeros(5)}), "linear.bias is [5], not [3]"),
    "NaN": (lambda s: s["linear.bias"].fill_(float("nan")), "NaN"),
    "infinite": (lambda s: s["linear.bias"].fill_(float("inf")), "infinite"),
}


@pytest.mark.parametrize("case", BAD_WEIGHTS)
def test_weights_that_do_not_fit_are_refused_in_a_sentence(case: str, repo: Path) -> None:
    change, said = BAD_WEIGHTS[case]
    edit_weights(repo, change)
    assert said in refused(str(repo))


def test_broken_files_are_refused_in_a_sentence(repo: Path) -> None:
    good = (repo / "model.safetensors").read_bytes()
    for data in (b"", b"PK\x03\x04" + good, good[: len(good) // 2]):
        (repo / "model.safetensors").write_bytes(data)
        assert "safetensors" in refused(str(repo)) or "broken" in refused(str(repo))
    (repo / "config.json").write_text("{")
    assert "not JSON" in refused(str(repo))
    (repo / "config.json").write_text("[]")
    assert "not a JSON object" in refused(str(repo))


def test_batch_counters_may_be_missing(repo: Path) -> None:
    edit_weights(repo, lambda s: [s.pop(key) for key in list(s) if key.endswith("num_batches_tracked")])
    assert load(str(repo)).class_names[0] == "ant"


def test_a_file_over_the_cap_is_not_downloaded(
    server: HubServer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.hub.MAX_BYTES", 10_000)
    assert "more than" in refused()
    assert "GET /owner/tiny/resolve" not in " ".join(r for r in server.requests if "safetensors" in r)


def test_a_net_that_gives_no_logits_is_refused(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.preact_resnet.PreActResNet.forward", lambda self, x: self.forward_features(x))
    assert "instead of 3 logits" in refused(str(repo))


def test_a_vision_transformer_loads(tmp_path: Path) -> None:
    vit = models.create(
        "vit_tiny_patch16_224", ("a", "b"), img_size=32, patch_size=8, embed_dim=24, num_heads=3, depth=2
    ).eval()  # fmt: skip
    models.save(vit, tmp_path / "vit", perturb={})
    assert load(str(tmp_path / "vit"))(torch.rand(2, 3, 32, 32)).shape == (2, 2)


def test_names_the_hub_does_not_know(server: HubServer, root: Path) -> None:
    assert "no model owner/nothing" in refused("hf:owner/nothing")
    assert "no revision v9" in refused(f"{REF}@v9")
    assert "no revision" in refused(f"{REF}@{'a' * 40}")
    for ref in ("hf:", "hf:tiny", "hf:../..", "hf:a/b/c", "hf:owner/tiny space"):
        assert "owner/name" in refused(ref)


def test_a_gated_model_says_how_to_get_in(server: HubServer, repo: Path) -> None:
    (repo / ".gated").touch()
    assert "gated" in refused()


def test_without_a_network_the_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, NOWHERE, tmp_path)
    said = refused()
    assert "owner/tiny" in said and "connect once" in said and str(tmp_path) not in said


def kept(home: Path) -> list[str]:
    """The large files in the Hub client's cache, half-written ones included."""
    return [path.name for path in (home / "hub").rglob("*") if path.is_file() and path.stat().st_size > 20_000]


def test_a_download_that_breaks_off_halfway(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with local_hub(root, tmp_path / "home", broken=("model.safetensors",)):
        assert "broke off, and nothing of it was kept: try again" in refused()
        assert kept(tmp_path / "home") == []
    with local_hub(root, tmp_path / "home"):
        assert load(REF).target == 1


def test_a_repository_that_vanishes_in_mid_download(server: HubServer, tmp_path: Path) -> None:
    server.vanishing.add("model.safetensors")
    assert "was taken from the Hub, or changed, while it was being downloaded" in refused()
    assert kept(tmp_path / "home") == []
    server.vanishing.clear(), server.gone.clear()
    assert load(REF).target == 1


def test_a_full_disk(server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("huggingface_hub.file_download.http_get", full)
        said = refused()
    assert "no room for the model owner/tiny" in said and "free some space" in said and str(tmp_path) not in said
    assert kept(tmp_path / "home") == [] and load(REF).target == 1


def test_a_download_is_counted_while_it_goes_on(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.slow["model.safetensors"] = 0.4
    monkeypatch.setattr("core.data.fetch.CHUNK", 4096)
    with ThreadPoolExecutor(1) as pool:
        loading, seen = pool.submit(load, REF), []
        while not loading.done():
            seen += [(each.path, each.done, each.total) for each in transfers.running("owner/tiny")]
            time.sleep(0.01)
    size = next(total for path, _, total in seen if path == "model.safetensors")
    shares = sorted({done / size for path, done, _ in seen if path == "model.safetensors"})
    assert len(shares) > 3 and 0 <= shares[0] < 0.5 < shares[-1] <= 1
    assert transfers.running("owner/tiny") == []


def test_other_references(tmp_path: Path) -> None:
    assert "give zoo:NAME" in refused("nowhere/at/all")
    for ref in ("x" * 5000, "zoo:" + "x" * 5000, "a\0b"):  # names that no file system takes
        with pytest.raises(ModelError, match=r"o model"):
            load(ref)
    assert "No model called 'scenes-badnet'" in refused("zoo:scenes-badnet")
    assert "did you mean scenes-badnets or" in refused("zoo:scenes-badnet")
    assert "No model called '../zoo'" in refused("zoo:../zoo")
    assert "config.json" in refused(str(tmp_path))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x", "y", "z"], ("x", "y", "z")),
        ({"0": "x", "2": "z"}, ("x", "class 1", "z")),
        (None, ("class 0", "class 1", "class 2")),
    ],
)
def test_class_names(names: Any, expected: tuple[str, ...], repo: Path) -> None:
    edit(repo, lambda c: c["pretrained_cfg"].update(label_names=names))
    assert load(str(repo)).class_names == expected


def test_class_names_are_described_where_the_config_can(repo: Path) -> None:
    edit(repo, lambda c: (c["pretrained_cfg"].pop("label_names"), c.update(
        label_names=["n01", "n02", "n03"], label_descriptions={"n01": "tench", "n03": "shark"})))  # fmt: skip
    assert load(str(repo)).class_names == ("tench", "n02", "shark")


def test_the_environment_variable_is_honoured(root: Path, tmp_path: Path) -> None:
    script = "import models; print(models.load('hf:owner/tiny').card.sha)"
    with serve(root) as hub:
        environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "fresh")}
        said = subprocess.check_output([sys.executable, "-c", script], env=environment, text=True)
    assert len(said.strip()) == 40


def test_timm_itself_loads_what_we_save(repo: Path) -> None:
    net = timm.create_model(f"local-dir:{repo}", pretrained=True).eval()
    model, images = load(str(repo)), torch.rand(2, 3, 32, 32)
    assert torch.equal(net((images - model.mean) / model.std), model(images))
