"""The local Hub answers as the real one where our client looks."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.local_hub import serve


def ask(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    repo = tmp_path / "hub" / "models" / "owner" / "name"
    repo.mkdir(parents=True)
    (repo / "config.json").write_bytes(b"0123456789")
    (repo / "large.bin").write_bytes(bytes(3 << 20))
    (tmp_path / "hub" / "models" / "secret").write_text("outside")
    return tmp_path / "hub"


def test_ranges_commits_and_errors(folder: Path) -> None:
    with serve(folder) as hub:
        base = f"{hub.url}/owner/name/resolve"
        status, headers, data = ask(f"{base}/main/config.json", Range="bytes=2-4")
        assert (status, data, headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
        commit = headers["X-Repo-Commit"]
        assert len(commit) == 40 and ask(f"{base}/{commit}/config.json")[2] == b"0123456789"
        assert len(ask(f"{base}/main/large.bin")[2]) == 3 << 20
        assert len(ask(f"{base}/main/large.bin", Range="bytes=5-2000000")[2]) == 1_999_996
        assert ask(f"{base}/main/nothing")[1]["X-Error-Code"] == "EntryNotFound"
        assert ask(f"{base}/v2/config.json")[1]["X-Error-Code"] == "RevisionNotFound"
        assert ask(f"{hub.url}/api/models/owner/nobody")[1]["X-Error-Code"] == "RepoNotFound"
        assert ask(f"{base}/main/..%2F..%2Fsecret")[0] == 404
        (entry, large) = json.loads(ask(f"{hub.url}/api/models/owner/name/tree/main")[2])
        assert entry["path"] == "config.json" and large["lfs"]["size"] == 3 << 20
        (folder / "models" / "owner" / "name" / "config.json").write_bytes(b"changed")
        assert ask(f"{base}/main/config.json")[1]["X-Repo-Commit"] != commit
