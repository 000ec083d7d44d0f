"""Make the database of a release, as SQL: `python tests/system/upgrade/fill.py TREE`, with TREE a checkout of it.

It uses what stays between releases (commands, public clients, names of tables) and runs in the release's own tree.
What a test has to know of it (a token is shown once) is written beside, as JSON.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SECRET_KEY = "only-for-tests-" * 4
SIGNING_KEY = base64.b64encode(hashlib.sha256(b"only for tests").digest()).decode()
NOBODY_THERE = "127.0.0.1:9"
"""Where no server listens, so that what is sent there is kept for another attempt."""

DONE = {"saga_id": "done", "steps": [{"step_id": "pause", "forward_action": {"type": "wait", "seconds": 2}}]}
TIMER = {
    "saga_id": "timer",
    "steps": [
        {"step_id": "pause", "forward_action": {"type": "wait", "minutes": 10}},
        {"step_id": "after", "forward_action": {"type": "wait", "seconds": 0.1}, "dependencies": ["pause"]},
    ],
}
GATE = {
    "saga_id": "gate",
    "steps": [
        {
            "step_id": "ask",
            "forward_action": {"type": "approval", "policy": "two-eyes", "description": "Shall it go on?"},
        },
        {"step_id": "after", "forward_action": {"type": "wait", "seconds": 0.1}, "dependencies": ["ask"]},
    ],
}
STUCK = {
    "saga_id": "stuck",
    "steps": [
        {
            "step_id": "first",
            "forward_action": {"type": "wait", "seconds": 0.1},
            "compensation_action": {"type": "api_call", "method": "DELETE", "url": f"http://{NOBODY_THERE}/things"},
        },
        {
            "step_id": "second",
            "forward_action": {"type": "api_call", "method": "POST", "url": f"http://{NOBODY_THERE}/things"},
            "dependencies": ["first"],
            "retry_count": 0,
        },
    ],
}
POLICY = {
    "policy": "two-eyes",
    "stages": [{"name": "peers", "who": {"users": ["bob"]}, "expire": None, "at_the_end": "hold"}],
}
GRANTED = ("view_auditevent", "view_auditseal", "add_apitoken", "view_run", "view_policy")


def main(tree: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "zen.sqlite3"
        env = {name: value for name, value in os.environ.items() if not name.startswith(("ZEN_", "DJANGO_"))}
        env |= {
            "DATABASE_URL": f"sqlite:///{database}",
            "ZEN_DATA_DIR": folder,
            "ZEN_SECRET_KEY": SECRET_KEY,
            "ZEN_SIGNING_KEY": SIGNING_KEY,
            "ZEN_ENGINE": "celery",
            "ZEN_OUTBOUND_ALLOW": NOBODY_THERE,
            "DJANGO_SETTINGS_MODULE": "zen_project.settings",
            "PYTHONPATH": str(tree),
        }
        command = [sys.executable, str(Path(__file__).resolve()), "--inside", folder]
        known = json.loads(subprocess.run(command, cwd=tree, env=env, check=True, stdout=subprocess.PIPE).stdout)
        with sqlite3.connect(database) as connection:
            text = "\n".join(connection.iterdump())
    with (HERE / "database.sql.gz").open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        packed.write(text.encode())
    (HERE / "known.json").write_text(json.dumps(known, indent=2) + "\n")


def inside(folder: Path) -> dict[str, Any]:
    """What the test has to know of the rows that this makes."""
    import django

    django.setup()
    manage(folder, "migrate", "-v", "0")
    people()
    for name, document in {"done": DONE, "timer": TIMER, "gate": GATE, "stuck": STUCK, "policy": POLICY}.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    manage(folder, "policy", "publish", "policy.json")
    known: dict[str, Any] = {
        "token": manage(folder, "token", "create", "ada", "--name", "of the release before").split()[-1]
    }
    known["callback_secret"] = asked_and_decided()
    for name in ("timer", "gate"):
        manage(folder, "saga", "start", f"{name}.json", "--workflow-id", f"old-{name}", "--as", "ada")
    manage(folder, "saga", "start", "stuck.json", "--workflow-id", "old-stuck", "--as", "ada", "--wait", codes=(1,))
    manage(folder, "saga", "start", "done.json", "--workflow-id", "old-done", "--as", "ada", "--wait")
    (waiting,) = json.loads(manage(folder, "approval", "list", "--json"))[:1]
    known["gate"] = waiting["request_id"]
    manage(folder, "audit", "seal")
    return known


def people() -> None:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group, Permission

    users = get_user_model().objects
    auditors = Group.objects.create(name="auditors")
    auditors.permissions.set(Permission.objects.filter(codename__in=GRANTED))
    for name, groups in {"ada": ["operator"], "bob": ["approver"], "eve": ["auditors"]}.items():
        user = users.create_user(name, email=f"{name}@example.com", password="of-a-test", is_staff=True)
        user.groups.set(Group.objects.filter(name__in=groups))
    users.create_superuser("root", email="root@example.com", password="of-a-test")


def asked_and_decided() -> str:
    """The secret of the endpoint to which the end of a request waits to be sent."""
    from approvals.client import request_human_approval, submit_approval_decision

    async def both() -> str:
        found = await request_human_approval(
            "elsewhere-1", "release", "Shall it go out?", {"size": 3},
            callback_url=f"http://{NOBODY_THERE}/hook", policy="two-eyes", request_id="old-request",
        )  # fmt: skip
        await submit_approval_decision("old-request", "bob", "approve", "seen and good")
        return str(found["callback_secret"])

    return asyncio.run(both())


def manage(folder: Path, *words: str, codes: tuple[int, ...] = (0,)) -> str:
    command = [sys.executable, "-m", "django", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise SystemExit(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        print(json.dumps(inside(Path(sys.argv[2]))))
    else:
        main(Path(sys.argv[1]).resolve())
