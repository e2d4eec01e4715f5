"""The entry: builds the Streamlit app, warms it up, serves /healthz."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lab import local_folders

SWITCH = 0.0005
"""Seconds for which a thread keeps the interpreter while others want it, a tenth of Python's own. A page's thread lets
go of it for each message that it sends, a hundred in a rerun, and a job's for each operation of torch."""

log = logging.getLogger("perturb-lab")
warm = threading.Event()


def warm_up() -> None:
    """Import what every page needs and load the first model, so that the first visitor does not wait for it.

    What is loaded here stays for good. The garbage collector rests meanwhile, since imports leave it nothing to find,
    and never looks at these objects again: Streamlit collects after every run of a script or a fragment, and walking
    through all of torch each time took a running job half its speed.
    """
    gc.disable()
    try:
        import altair  # noqa: F401
        import pandas  # noqa: F401

        from lab import loading
        from lab.kinds import kinds
        from lab.running.pool import pool

        kinds()  # with every method
        pool()  # it says how many cores a thread may take, which counts for threads that have not computed yet
        loading.classifier("zoo:scenes-badnets")
        loading.images("scenes", "test", limit=1000)
        gc.freeze()
        warm.set()
    except ValueError as error:
        log.error("%s", error)  # such as a PERTURB_DEVICE that is not there; every page says it, too
    except Exception:
        log.exception("The warm-up failed; pages load what they need when they are opened.")
    finally:
        gc.enable()


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    sys.setswitchinterval(SWITCH)
    local_folders.serve(st.get_option("server.address"), st.get_option("browser.serverAddress"))
    # In a thread of its own: the server answers at once, while torch is still being imported.
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
    yield {}


async def healthz(request: Request) -> JSONResponse:
    """200 as soon as the server answers; `warm` says whether the first model is in memory."""
    return JSONResponse({"status": "ok", "warm": warm.is_set()})


def say_what_went_wrong(error: Exception) -> bool:
    """One sentence in place of a traceback: errors that this project raises for visitors are ValueErrors."""
    from ui.errors import plain

    if isinstance(error, ValueError):
        st.error(plain(error))
    else:
        st.error("Something went wrong on this page. Reload it; if it happens again, open the page from the sidebar.")
    return True


app = st.App(
    "pages/_router.py",
    lifespan=lifespan,
    routes=[Route("/healthz", healthz)],
    on_script_error=say_what_went_wrong,
)
