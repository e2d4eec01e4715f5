"""The link of a page: where it leads, what it does when it is opened, and its QR code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, urlencode, urlsplit

import streamlit as st

from ui.pages import PAGES, Page

Query = Mapping[str, str | Sequence[str]]
"""What a link says, by name; a list is said one by one, an empty one as ""."""

RESULT, AT_ONCE = "Settings and result", "Starts at once"
TOLD = {
    RESULT: "Opens this page with these settings, and with their result while the server keeps it.",
    AT_ONCE: "Opens this page with these settings and starts the run, once; it waits its turn like any other.",
}
HERE_ONLY = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = (None, "", "0.0.0.0", "::")
"""Values of server.address under which other computers reach the lab."""


def draw(page: Page, said: Query, note: str = "") -> None:
    """A button that opens the link with `said` in its query; what it holds is built when it is opened."""
    box = st.popover("Copy link", icon=":material/link:", key=f"link-{page.slug}", on_change="rerun")
    if not box.open:
        return
    with box:
        way = RESULT
        if not page.live:
            way = st.segmented_control("When opened", list(TOLD), default=RESULT, required=True, key=f"way-{page.slug}")
        address = link(page.slug, {**said, "run": "1"} if way == AT_ONCE else said)
        st.caption(TOLD[way])
        code, text = st.columns([1, 1.3])
        with code:
            _qr(page, address)
        with text:
            st.code(address, language=None, wrap_lines=True, height=200)
        for told in filter(None, (note, _travels(urlsplit(address)))):
            st.caption(told)


def link(page: str, query: Query) -> str:
    """The address of a page with `query`: from the public host where one is set, else from where the visitor is.

    A visitor who came by localhost gets the computer's address in its network, where the server listens there.
    """
    from lab.settings import settings

    if settings.public_host:
        base = f"https://{settings.public_host.removeprefix('https://').rstrip('/')}"
    else:
        here = urlsplit(st.context.url or "")
        parts = here.path.rstrip("/").split("/")
        # The last part is the page, unless the app lies in a folder and this is its first page.
        folder = "/".join(parts[:-1] if parts[-1] in {page.slug for page in PAGES} else parts)
        base = f"{here.scheme}://{_host(here)}{folder}" if here.netloc else ""
    return f"{base}/{page}?{_text(query)}"


def _text(query: Query) -> str:
    return urlencode({name: value or "" for name, value in query.items()}, doseq=True)


def _host(here: SplitResult) -> str:
    """Host and port for other computers where there is one, else those of `here`."""
    from lab.network import lan_address

    if here.hostname in HERE_ONLY and st.get_option("server.address") in EVERYWHERE and (found := lan_address()):
        return f"{found}:{here.port}" if here.port else found
    return here.netloc


def _travels(address: SplitResult) -> str:
    """Who can open an address; nothing where that is everybody who can open this page."""
    came = urlsplit(st.context.url or "").hostname
    if address.hostname in HERE_ONLY:
        return (
            f":material/wifi_off: **{address.hostname} is this computer only**: the link does not travel. For a class "
            "network, start the lab with **perturb app --address 0.0.0.0**."
        )
    if came in HERE_ONLY and came != address.hostname:
        return (
            f":material/wifi: You opened the lab as {came}, which leads nowhere from another computer. This link has "
            "the computer's address in its network: it works for whoever is in the same one, unless a firewall or a "
            "container stands between."
        )
    return ""


@st.cache_data(max_entries=64, show_spinner=False)
def _code(address: str) -> str:
    """The QR code of an address, dark on white with its margin, as an address that holds the picture; "" if too long.

    2,953 bytes are the most that a QR code holds.
    """
    import segno
    from segno.encoder import DataOverflowError

    try:
        return segno.make_qr(address, error="L").png_data_uri(scale=4, border=4)
    except DataOverflowError:
        return ""


def _qr(page: Page, address: str) -> None:
    if picture := _code(address):
        st.image(picture, width="stretch", alt=f"QR code of the link to {page.title}")
    else:
        st.caption("The link is too long for a QR code.")
