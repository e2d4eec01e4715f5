"""What is said of a run that failed: one sentence, whatever went wrong."""

from __future__ import annotations

import logging

from core.device import out_of_memory

log = logging.getLogger(__name__)


def sentence(error: BaseException) -> str:
    """A ValueError's own sentence, else one that says what to do; what was not foreseen is logged."""
    if isinstance(error, ValueError):
        return str(error)
    log.error("a run failed", exc_info=error)
    if out_of_memory(error):
        return "The run needs more memory than there is; choose fewer images or a smaller model."
    return (
        f"The run ended with an unexpected {type(error).__name__}; change a setting and try again, "
        "or tell the operator of this lab; the log has the details."
    )
