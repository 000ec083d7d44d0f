"""Something is waited for in vain: a worker, the engine's server, a timer, a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from approvals.models import Request
from approvals.requests import publish_policy
from foundation.clock import now
from monitoring.core.enums import RecoveryAction
from monitoring.models import Loop
from monitoring.performing.by_hand import trigger
from monitoring.watch import site
from orchestration.core.enums import Verb
from orchestration.models import Command, Run
from orchestration.runs import act, start_run
from zen_project.demo.broken.scene import Scene, Told, World, act_of
from zen_project.demo.people import ME
from zen_project.demo.site import Person, served
from zen_project.demo.stage import looked_at, passes, said, shipment, status, tried, workers

WAITING, LIVE, STORED = 12, 20, 3
WAIT = {"type": "wait", "seconds": 600}


def _no_worker(world: World) -> Told:
    runs = [shipment(world.services, world.engine, f"three-{number}") for number in range(WAITING)]
    passes(lambda: bool(_of_site("no_worker")), "nobody saw that no worker is alive", each=_look_at_the_site)
    sentence = _of_site("no_worker")
    with workers(world.engine):
        passes(lambda: all(status(run) == "completed" for run in runs), "they did not go on")
        passes(lambda: not _of_site("no_worker"), "it is still said", each=_look_at_the_site)
    return Told(
        said=sentence, act="a worker is started", result=f"all {WAITING} completed", fine=f"{WAITING} " in sentence
    )


def _server_away(world: World) -> Told:
    server = world.server
    if server is None:
        raise SystemExit("this scene needs a server that it can stop")
    definition = {"saga_id": "far", "steps": [{"step_id": "wait", "forward_action": WAIT}]}
    runs = [_begun(world, definition, f"far-four-{number}") for number in range(LIVE)]
    passes(lambda: all(status(run) == "waiting" for run in runs), "they did not begin")
    server.stop()
    for run in runs[:STORED]:
        act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ME, note="no longer wanted")
    passes(
        lambda: f"{STORED} acts are stored" in _of_site("engine_unreachable"), "nobody saw it", each=_look_at_the_site
    )
    sentence = _of_site("engine_unreachable")
    server.start()
    passes(lambda: all(status(run) == "rolled_back" for run in runs[:STORED]), "the acts were not delivered")
    passes(lambda: not _of_site("engine_unreachable"), "it is still said", each=_look_at_the_site)
    for run in runs[STORED:]:
        act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ME, note="the training is over")
    result = f"the {STORED} acts are delivered, the other runs go on"
    return Told(said=sentence, act="its server is started", result=result, fine=f"{LIVE} runs wait" in sentence)


def _timer_lost(world: World) -> Told:
    definition = {"saga_id": "cool", "steps": [{"step_id": "cool", "forward_action": {"type": "wait", "seconds": 600}}]}
    run, _ = start_run(definition=definition, actor=ME, workflow_id="cool-six", engine=world.engine)
    early = now() - timedelta(seconds=640)
    passes(lambda: run.commands.filter(kind="start_timer").exists(), "the timer was not set")
    Command.objects.filter(run=run, kind="start_timer").update(status=Command.DONE, due_at=early)
    run.events.filter(kind="step.running").update(at=early)
    passes(lambda: looked_at(run) and bool(said(run, "timer_overdue")), "nobody saw it")
    sentence = said(run, "timer_overdue")
    passes(lambda: status(run) == "completed" and bool(tried(run)[0].ended_at), "it was not woken")
    return Told(said=sentence, act=act_of(run), result=status(run), fine=tried(run)[0].action == "wake")


def _nobody_answers(world: World) -> Told:
    with served() as api:
        bob = Person("bob", api)
        publish_policy(
            data={"policy": "refund", "stages": [{"name": "refund", "who": {"users": ["bob"]}, "expire": "40s"}]},
            actor=ME,
        )
        gate = {"type": "approval", "policy": "refund", "description": "Refund **80 EUR**?"}
        run = _begun(
            world, {"saga_id": "refund", "steps": [{"step_id": "refund", "forward_action": gate}]}, "refund-seven"
        )
        passes(lambda: looked_at(run) and bool(said(run, "gate_waits")), "nobody saw it")
        sentence = said(run, "gate_waits")
        request = Request.objects.get(about=run.workflow_id)
        trigger(request.run.workflow_id, "the customer waits", RecoveryAction.ESCALATE, actor=ME)
        bob.says("approve", request.request_id, "yes")
        passes(lambda: status(run) == "completed", "it did not go on")
    done = act_of(request.run)
    return Told(said=sentence, act=f"{done}; bob approves", result=status(run), fine="escalate" in done)


def _begun(world: World, definition: dict[str, Any], handle: str) -> Run:
    run, _ = start_run(definition=definition, actor=ME, workflow_id=handle, engine=world.engine)
    return run


def _look_at_the_site() -> None:
    Loop.objects.filter(name="site").update(at=None, until=None)
    site.look()


def _of_site(code: str) -> str:
    """The sentence of an issue of the site; '' while it has none."""
    return next((str(one["sentence"]) for one in site.site_issues() if one["code"] == code), "")


SCENES = (
    Scene(number=3, fault="no worker is alive", play=_no_worker, workers=False),
    Scene(number=4, fault="Temporal's server is stopped", play=_server_away, engines=("temporal",)),
    Scene(number=6, fault="a timer's row was changed by SQL", play=_timer_lost, engines=("celery",)),
    Scene(number=7, fault="nobody answers at a gate", play=_nobody_answers),
)
