"""A database that the release before left behind is taken up where it stood.

`fill.py` made it in a checkout of that release; nothing here may touch the network, so its callback waits for a port
at which a peer listens now.
"""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.peer import Peer, serving
from tests.support.waiting import wait_until
from tests.system.crash.workers import WorkerProcess
from tests.system.upgrade.fill import GRANTED, HERE, NOBODY_THERE, SECRET_KEY, SIGNING_KEY

ROOT = HERE.parents[2]
pytestmark = [pytest.mark.only_on("sqlite"), pytest.mark.slow]

PAGES = (
    "/admin/", "/admin/orchestration/run/", "/admin/orchestration/run/{timer}/change/",
    "/admin/orchestration/definition/", "/admin/orchestration/auditevent/", "/admin/orchestration/apitoken/",
    "/admin/approvals/request/", "/admin/approvals/request/inbox/", "/admin/approvals/policy/",
    "/admin/approvals/endpoint/", "/admin/approvals/callback/", "/admin/notifications/channel/",
    "/admin/notifications/notice/", "/admin/notifications/delivery/", "/admin/auth/group/",
)  # fmt: skip
ASK = """
import json, sys
import zen_project.standalone
from django.contrib.auth import get_user_model
from django.test import Client
given = json.loads(sys.argv[1])
if "token" in given:
    site = Client(headers={"host": "localhost", "Authorization": "Bearer " + given["token"]})
else:
    site = Client(headers={"host": "localhost"})
    site.force_login(get_user_model().objects.get(username=given["user"]))
answers = [site.get(path, follow=True) for path in given["paths"]]
print(json.dumps([[answer.status_code, answer.content.decode()[:20000]] for answer in answers]))
"""
GRANTS = """
import json, sys
import zen_project.standalone
from django.contrib.auth import get_user_model
eve = get_user_model().objects.get(username="eve")
print(json.dumps(sorted(name.partition(".")[2] for name in eve.get_all_permissions())))
"""


class Site:
    """The old database, migrated, and this release's commands on it."""

    def __init__(self, folder: Path, peer: Peer) -> None:
        self.folder, self.database = folder, folder / "zen.sqlite3"
        self.known = json.loads((HERE / "known.json").read_text())
        self.env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "zen_project.settings", "DATABASE_URL": f"sqlite:///{self.database}",
            "ZEN_DATA_DIR": str(folder), "ZEN_SECRET_KEY": SECRET_KEY,
            "ZEN_SIGNING_KEY": SIGNING_KEY, "ZEN_ENGINE": "celery",
            "ZEN_OUTBOUND_ALLOW": f"{NOBODY_THERE},{peer.address}", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        with sqlite3.connect(self.database) as connection:
            connection.executescript(gzip.decompress((HERE / "database.sql.gz").read_bytes()).decode())
            connection.execute("update approvals_endpoint set url = ?", (f"{peer.url}/hook",))

    def python(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def manage(self, *words: str) -> str:
        return self.python("-m", "django", *words)

    def get(self, *paths: str, **whose: str) -> list[tuple[int, str]]:
        return [(code, text) for code, text in json.loads(self.python("-c", ASK, json.dumps(whose | {"paths": paths})))]

    def rows(self, sql: str) -> list[Any]:
        with sqlite3.connect(self.database) as connection:
            return list(connection.execute(sql))

    def status(self, workflow_id: str) -> Callable[[], str]:
        return lambda: self.rows(f"select status from orchestration_run where workflow_id = '{workflow_id}'")[0][0]


@pytest.fixture(scope="module")
def listener() -> Iterator[Peer]:
    with serving() as peer:
        peer.say("/hook", 200)
        yield peer


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, listener: Peer) -> Site:
    site = Site(tmp_path_factory.mktemp("old-site"), listener)
    site.manage("migrate", "-v", "0")
    return site


def test_its_audit_is_whole(site: Site) -> None:
    assert site.rows("select count(*) from orchestration_auditevent")[0][0] > 5
    site.manage("audit", "verify")  # exit code 0


def test_its_token_opens_the_api(site: Site) -> None:
    ((code, text),) = site.get("/api/v1/runs/", token=site.known["token"])
    assert code == 200 and "old-timer" in text
    ((refused, _),) = site.get("/api/v1/runs/", token=site.known["token"][:-1] + "x")
    assert refused == 401


def test_what_a_group_was_granted_it_still_has(site: Site) -> None:
    assert set(GRANTED) <= set(json.loads(site.python("-c", GRANTS)))


def test_pages_are_at_their_old_addresses(site: Site) -> None:
    ((timer,),) = site.rows("select id from orchestration_run where workflow_id = 'old-timer'")
    paths = [path.format(timer=timer) for path in PAGES]
    assert {
        path: code for path, (code, _) in zip(paths, site.get(*paths, user="root"), strict=True) if code != 200
    } == {}


def test_what_waited_goes_on(site: Site, listener: Peer) -> None:
    worker = WorkerProcess(site.env)
    try:
        wait_until(lambda: site.status("old-timer")() == "completed", site.status("old-timer"))
        assert site.status("old-gate")() not in ("completed", "failed"), "nobody has decided it"
        site.manage("approval", "approve", site.known["gate"], "--as", "bob", "--yes")
        wait_until(lambda: site.status("old-gate")() == "completed", site.status("old-gate"))
        site.manage(
            "runs", "resolve", "old-stuck", "--step", "first", "--answer", "done-by-hand", "--note", "done", "--yes"
        )
        wait_until(lambda: site.status("old-stuck")() == "rolled_back", site.status("old-stuck"))
        wait_until(lambda: bool(listener.seen), "the callback that had waited")
    finally:
        worker.stop()
    assert site.status("old-done")() == "completed"
    assert "approval.decided" in listener.seen[0].body
    site.manage("audit", "verify")  # exit code 0
