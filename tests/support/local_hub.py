"""A Hugging Face Hub on this machine: the read side of its HTTP interface over a plain folder.

    python tests/support/local_hub.py FOLDER --port 8765        then: HF_ENDPOINT=http://127.0.0.1:8765 ...

FOLDER holds `models/owner/name/**` and `datasets/owner/name/**`. Each repository has one commit, a
hash over its paths and bytes, under the name "main". Files whose names begin with a dot are not
served; an empty file `.gated` makes a repository gated, and `.downloads` holds how often it was downloaded. Only for
development and tests.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = 1 << 20
API = re.compile(r"/api/(models|datasets)(?:/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+)(/.+)?)?)?/?")
FILE = re.compile(r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@lru_cache(maxsize=4096)
def _digests(path: Path, size: int, changed: int) -> tuple[str, str]:
    """(git blob SHA-1, SHA-256) of a file; `size` and `changed` only make the cache notice an edit."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % size + data).hexdigest(), hashlib.sha256(data).hexdigest()


def _entry(folder: Path, path: Path) -> dict[str, Any]:
    """One line of a tree listing, as the Hub writes it."""
    stat = path.stat()
    blob, sha256 = _digests(path, stat.st_size, stat.st_mtime_ns)
    entry = {"type": "file", "path": path.relative_to(folder).as_posix(), "size": stat.st_size, "oid": blob}
    if stat.st_size > LARGE:
        entry["lfs"] = {"oid": sha256, "size": stat.st_size, "pointerSize": 135}
    return entry


class Repository:
    """One folder of the Hub: what is in it and the commit that stands for it."""

    def __init__(self, root: Path, kind: str, name: str):
        self.kind, self.name, self.folder = kind, name, (root / kind / name).resolve()
        self.there = self.folder.is_dir() and self.folder.is_relative_to(root.resolve()) and ".." not in name
        self.gated = self.there and (self.folder / ".gated").exists()

    def tree(self) -> list[dict[str, Any]]:
        files = (path for path in sorted(self.folder.rglob("*")) if path.is_file() and path.name[0] != ".")
        return [_entry(self.folder, path) for path in files]

    def commit(self) -> str:
        lines = [f"{entry['path']} {entry['oid']}" for entry in self.tree()]
        return hashlib.sha1("\n".join([self.kind, self.name, *lines]).encode()).hexdigest()

    def file(self, path: str) -> Path | None:
        full = (self.folder / path).resolve()
        return full if full.is_file() and full.is_relative_to(self.folder) and full.name[0] != "." else None

    def card(self) -> dict[str, Any]:
        """The metadata at the head of the README."""
        from huggingface_hub import metadata_load

        readme = self.folder / "README.md"
        return (metadata_load(readme) or {}) if readme.is_file() else {}

    def tags(self) -> list[str]:
        """What the Hub makes of the metadata: tags, library, task, and those that say what they are."""
        card = self.card()
        found = [card[key] for key in ("library_name", "pipeline_tag") if key in card]
        found += [f"{key}:{each}" for key in ("task_categories", "size_categories") for each in card.get(key, [])]
        found += [f"license:{card['license']}"] if "license" in card else []
        return list(dict.fromkeys([*found, *card.get("tags", [])]))

    def safetensors(self) -> dict[str, Any] | None:
        """Parameters by kind of number, from the header of the weights."""
        weights = self.folder / "model.safetensors"
        if self.kind != "models" or not weights.is_file():
            return None
        with weights.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        kinds: Counter[str] = Counter()
        for name, each in header.items():
            if name != "__metadata__":
                kinds[each["dtype"]] += math.prod(each["shape"])
        return {"parameters": dict(kinds), "total": kinds.total()}

    def downloads(self) -> int:
        """The number in the file `.downloads`, 0 where there is none."""
        file = self.folder / ".downloads"
        return int(file.read_text()) if file.is_file() else 0

    def info(self, expand: tuple[str, ...] = ()) -> dict[str, Any]:
        """What the Hub tells of a repository: what is always told, and what `expand` asks for."""
        found = {
            "id": self.name, "modelId": self.name, "author": self.name.split("/")[0], "sha": self.commit(),
            "siblings": [{"rfilename": entry["path"]} for entry in self.tree()],
            "private": False, "gated": "auto" if self.gated else False, "disabled": False,
            "tags": self.tags(), "downloads": self.downloads(), "likes": 0,
            "lastModified": "2024-01-01T00:00:00.000Z", "createdAt": "2024-01-01T00:00:00.000Z",
        }  # fmt: skip
        if "cardData" in expand:
            found["cardData"] = self.card()
        if "safetensors" in expand and (weights := self.safetensors()):
            found["safetensors"] = weights
        kept = {"id", *expand} if expand else found.keys()
        return {name: value for name, value in found.items() if name in kept}


class Handler(BaseHTTPRequestHandler):
    """Answers as the Hub does; everything is read from `self.server.root`."""

    protocol_version = "HTTP/1.1"
    server: HubServer

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: requests are kept in `server.requests` instead."""

    def _answer(self, body: bytes = b"") -> None:
        url = urlsplit(self.path)
        path, query = unquote(url.path), parse_qs(url.query)
        self.server.requests.append(f"{self.command} {path}")
        if api := API.fullmatch(path):
            self._api(*api.groups(), query=query, body=body)
        elif file := FILE.fullmatch(path):
            self._file(file.group(1) or "models", *file.groups()[1:])
        else:
            self._miss("EntryNotFound")

    def _api(
        self, kind: str, name: str | None, what: str | None, revision: str | None, below: str | None, *,
        query: dict[str, list[str]], body: bytes,
    ) -> None:  # fmt: skip
        if name is None:
            return self._json(self._search(kind, query))
        repo = self._repository(kind, name, revision)
        if repo is None:
            return None
        if what == "tree":
            folder = f"{below[1:]}/" if below else ""
            return self._json([entry for entry in repo.tree() if entry["path"].startswith(folder)])
        if what == "paths-info":
            wanted = json.loads(body)["paths"] if body[:1] == b"{" else parse_qs(body.decode())["paths"]
            return self._json([entry for entry in repo.tree() if entry["path"] in wanted])
        return self._json(repo.info())

    def _search(self, kind: str, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        shelf = self.server.root / kind
        names = sorted(folder.relative_to(shelf).as_posix() for folder in shelf.glob("*/*"))
        text, author = query.get("search", [""])[0].lower(), query.get("author", [""])[0]
        tags = {tag for word in query.get("filter", []) + query.get("pipeline_tag", []) for tag in word.split(",")}
        repos = [Repository(self.server.root, kind, name) for name in names if text in name.lower()]
        repos = [repo for repo in repos if author in ("", repo.name.split("/")[0]) and tags <= set(repo.tags())]
        if query.get("sort") == ["downloads"]:
            repos.sort(key=Repository.downloads, reverse=True)
        expand = tuple(query.get("expand", ()))
        return [repo.info(expand) for repo in repos[: int(query.get("limit", ["1000"])[0])]]

    def _repository(self, kind: str, name: str, revision: str | None) -> Repository | None:
        """The repository, or None once the reason why not has been sent."""
        repo = Repository(self.server.root, kind, name)
        if not repo.there or name in self.server.gone:
            self._miss("RepoNotFound")
        elif repo.gated and "/resolve/" in self.path:
            self._miss("GatedRepo", status=403)
        elif revision not in (None, "main", repo.commit()):
            self._miss("RevisionNotFound")
        else:
            return repo
        return None

    def _file(self, kind: str, name: str, revision: str, path: str) -> None:
        repo = self._repository(kind, name, revision)
        if repo is None:
            return
        commit, file = repo.commit(), repo.file(path)
        if file is None:
            return self._miss("EntryNotFound", commit=commit)
        entry = _entry(repo.folder, file)
        etag = entry["lfs"]["oid"] if "lfs" in entry else entry["oid"]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        start, stop = 0, entry["size"]
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start = int(asked.group(1))
            stop = min(stop, int(asked.group(2)) + 1) if asked.group(2) else stop
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{entry['size']}"
        headers["Content-Length"] = str(stop - start)
        broken = file.name in self.server.broken
        if file.name in self.server.vanishing:
            self.server.gone.add(name)
        with file.open("rb") as stream:
            stream.seek(start)
            slow = self.server.slow.get(file.name)
            first = (stop - start) // 2 if broken else 0 if slow else min(LARGE, stop - start)
            self._send(206 if asked else 200, headers, stream.read(first))
            if self.command == "HEAD":
                return
            if slow:
                self._trickle(stream, slow)
            elif broken:
                self.close_connection = True
            elif stop == entry["size"]:
                shutil.copyfileobj(stream, self.wfile)
            else:
                self.wfile.write(stream.read(max(0, stop - start - LARGE)))

    def _trickle(self, stream: BinaryIO, seconds: float) -> None:
        """What is left of a file, in twenty pieces over this time, or until the client leaves."""
        left = os.fstat(stream.fileno()).st_size - stream.tell()
        with suppress(ConnectionError):
            for _ in range(20):
                time.sleep(seconds / 20)
                self.wfile.write(stream.read(math.ceil(left / 20)))

    def _miss(self, code: str, status: int = 404, commit: str | None = None) -> None:
        headers = {"X-Error-Code": code, "Content-Length": "0"} | ({"X-Repo-Commit": commit} if commit else {})
        self._send(status, headers, b"")

    def _json(self, value: Any) -> None:
        data = json.dumps(value).encode()
        self._send(200, {"Content-Type": "application/json", "Content-Length": str(len(data))}, data)

    def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
        """Head and body in one packet: in two, the client's delayed acknowledgement costs 40 ms a call."""
        fields = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        head = f"HTTP/1.1 {status} {self.responses[status][0]}\r\n{fields}\r\n"
        self.wfile.write(head.encode() + (b"" if self.command == "HEAD" else data))


class HubServer(ThreadingHTTPServer):
    """`requests` lists what was asked; downloads of files named in `broken` stop halfway.

    A repository vanishes as soon as a file of it named in `vanishing` has been asked for once, be it for its size;
    files named in `slow` take that many seconds.
    """

    daemon_threads = True

    def __init__(self, root: Path, port: int = 0, broken: tuple[str, ...] = ()):
        super().__init__(("127.0.0.1", port), Handler)
        self.root, self.broken, self.requests = root.resolve(), broken, list[str]()
        self.vanishing, self.gone = set[str](), set[str]()
        self.slow = dict[str, float]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serve(root: Path, broken: tuple[str, ...] = ()) -> Iterator[HubServer]:
    """A Hub over `root` on a free port for as long as the block lasts."""
    server = HubServer(root, broken=broken)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve a folder as a Hugging Face Hub on 127.0.0.1.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8765)
    arguments = parser.parse_args()
    hub = HubServer(arguments.folder, arguments.port)
    print(f"HF_ENDPOINT={hub.url}", flush=True)
    hub.serve_forever()
