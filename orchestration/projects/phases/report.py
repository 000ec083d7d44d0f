"""The phase `report`: the work goes to the user's repository, and what proves it into a signed pack."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from foundation.audit import signing_key
from foundation.errors import BadInput
from orchestration.actions.errors import TryLater
from orchestration.actions.task import TaskContext
from orchestration.agents.workspace.history import merges
from orchestration.agents.workspace.janitor import janitor
from orchestration.agents.workspace.remote import remote_of
from orchestration.core.definition.shape import canonical_json
from orchestration.core.project.phases import CHANGES
from orchestration.core.project.plan import plan_in_force
from orchestration.projects.phases.project import Project, project_of

KIND = "zen.project.provenance"
PUSH_AGAIN_SECONDS = 30.0


def report(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Push the branch `zen/<project_id>` to the repository that the project was given, sign the pack, clear up."""
    project = project_of(context)
    branch = _pushed(project)
    pack = _pack(project, branch)
    known = hashlib.sha256(canonical_json(pack).encode()).hexdigest()
    signature = signing_key.sign(signed_bytes(known))
    cleared = dict(janitor(project.run.workflow_id).to_json())
    return {"branch": branch, "pack": pack, "hash": known, "signature": signature, "janitor": cleared}


def signed_bytes(known: str) -> bytes:
    """What the site signs: the kind of the message, and the SHA-256 of the pack's canonical JSON."""
    return f"{KIND}\n{known}".encode()


def _pushed(project: Project) -> str:
    """The commit that was verified: what came after it, nobody has looked at. The user's own branches are never
    touched; without a repository of theirs the work stays in ours, as it does where theirs is another project's."""
    given = project.spec.repository
    if not given or remote_of(given).is_of_a_run:
        return ""
    branch = f"zen/{project.spec.project_id}"
    head = project.output("verify").get("commit") or project.repository.head() or project.repository.base()
    try:
        return project.repository.push(given, branch, at=str(head))
    except BadInput as error:
        raise TryLater(error.in_words(), after=PUSH_AGAIN_SECONDS) from None


def _pack(project: Project, branch: str) -> dict[str, Any]:
    """From the outputs of the phases and the commits themselves: whoever has the repository can check it."""
    planned, verified = project.output("plan"), project.output("verify")
    plan = plan_in_force(planned, project.output(CHANGES))
    repository = project.repository
    return {
        "kind": KIND,
        "version": 1,
        "key_id": signing_key.key_id(),
        "workflow_id": project.run.workflow_id,
        "project_id": project.spec.project_id,
        "spec": project.spec.plain(),
        "config": project.config.plain(),
        "base": repository.base(),
        "commit": verified.get("commit"),
        "branch": branch,
        "plan_hash": plan.plan_hash if plan is not None else None,
        "coverage": plan.coverage() if plan is not None else None,
        "merges": [
            {"task": one.task, "merge": one.sha, "commit": one.merges, "requirements": list(one.requirements)}
            for one in merges(repository)
        ],
        "criteria": verified.get("criteria"),
        "checks": [
            {key: one.get(key) for key in ("command", "passed", "exit_code", "digest")}
            for one in verified.get("checks") or ()
        ],
        "evidence_digest": verified.get("evidence_digest"),
    }
