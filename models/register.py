"""Our architectures, known to timm after `import models` without importing timm for it.

timm takes seconds to import, and a page that only lists models needs none of it. So the
architectures are registered at once where timm is already there, else right after it is imported.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from types import ModuleType

ARCHITECTURES = ("models.preact_resnet", "models.cifar_resnet", "models.vgg", "models.mobilenet", "models.bagnet")


def register() -> None:
    """Import the modules that register our architectures with timm."""
    for module in ARCHITECTURES:
        importlib.import_module(module)


class _AfterTimm(importlib.abc.MetaPathFinder):
    """Waits for the import of timm and calls `register` once it is done."""

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None):
        if name != "timm" or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec("timm")
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_register(module: ModuleType) -> None:
                run(module)
                register()

            spec.loader.exec_module = run_and_register  # type: ignore[method-assign]
        return spec


def register_when_timm_comes() -> None:
    """Register now if timm is imported, else as soon as it is."""
    if "timm" in sys.modules:
        register()
    elif not any(isinstance(finder, _AfterTimm) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterTimm())
