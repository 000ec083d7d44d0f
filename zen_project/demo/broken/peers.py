"""A service answers badly: once, until it is repaired, to many runs at once, or for ever."""

from __future__ import annotations

from monitoring.core.enums import RecoveryAction
from monitoring.core.policy import RecoveryPolicy
from monitoring.models import Storm
from monitoring.performing.by_hand import trigger
from monitoring.queries.recovery import waits
from monitoring.recovery.publishing import publish
from zen_project.demo.broken.scene import Scene, Told, World, act_of
from zen_project.demo.people import ME
from zen_project.demo.stage import passes, said, shipment, status, tried

MANY = 30


def _peer_out_of_order(world: World) -> Told:
    world.services["shipping"].says["POST"] = [503, 0]
    run = shipment(world.services, world.engine, "one")
    passes(lambda: bool(said(run, "step_blocks")), "the step did not block")
    sentence = said(run, "step_blocks")
    passes(lambda: status(run) == "completed" and bool(tried(run)[0].ended_at), "it was not mended")
    return Told(said=sentence, act=act_of(run), result=status(run), fine=tried(run)[0].state == "worked")


def _undo_out_of_order(world: World) -> Told:
    world.services["payments"].says["POST"], world.services["inventory"].says["DELETE"] = [402], [409]
    run = shipment(world.services, world.engine, "two")
    passes(lambda: bool(said(run, "undo_failed")), "the compensation did not fail")
    sentence = said(run, "undo_failed")
    world.services["payments"].says.clear()
    world.services["inventory"].says.clear()
    trigger(run.workflow_id, "the inventory is repaired", RecoveryAction.RETRY, actor=ME)
    passes(lambda: status(run) == "rolled_back" and bool(tried(run)[0].ended_at), "it was not rolled back")
    return Told(said=sentence, act=act_of(run), result=status(run), fine=tried(run)[0].state == "worked")


def _many_at_once(world: World) -> Told:
    publish(
        RecoveryPolicy(
            "key-revoked", "Retry what was refused for a revoked key", ["saga:parcel"],
            {"issue": {"==": "step_blocks"}, "error": {"contains": "403"}}, [RecoveryAction.RETRY], 5,
            cooldown_seconds=1,
        ),
        actor=ME,
    )  # fmt: skip
    world.services["shipping"].says["POST"] = [403]
    runs = [shipment(world.services, world.engine, f"eight-{number}") for number in range(MANY)]
    passes(lambda: Storm.objects.exists() and any(said(run, "target_failing") for run in runs), "no storm was seen")
    sentence = next(filter(None, (said(run, "target_failing") for run in runs)))
    passes(lambda: any(one.state == "failed" for run in runs for one in tried(run)), "no canary was sent")
    queued = [text for run in runs for one in tried(run) if (text := waits(one))]
    calls = sum(one.acted_at is not None for run in runs for one in tried(run))
    world.services["shipping"].says.clear()
    passes(lambda: all(status(run) == "completed" for run in runs), "they did not go on")
    act = f"one at a time, then 2, 4, 8 …; {calls} tried while it refused ({queued[-1] if queued else ''})"
    return Told(said=sentence, act=act, result=f"all {MANY} completed", fine=calls <= 3)


def _never_mended(world: World) -> Told:
    publish(
        RecoveryPolicy(
            "stubborn", "Retry whatever blocks", ["saga:parcel"], {"issue": {"==": "step_blocks"}},
            [RecoveryAction.RETRY, RecoveryAction.ESCALATE], 3, cooldown_seconds=1, canary=False,
        ),
        actor=ME,
    )  # fmt: skip
    world.services["shipping"].says["POST"] = [422]
    run = shipment(world.services, world.engine, "ten")
    passes(lambda: bool(said(run, "looping")), "it was not given up")
    sentence = said(run, "looping")
    passes(lambda: bool(said(run, "recovery_exhausted")), "nobody was told")
    trigger(run.workflow_id, "the customer fetches it", RecoveryAction.SKIP, actor=ME, step_id="ship")
    world.services["shipping"].says.clear()
    passes(lambda: status(run) == "completed" and bool(tried(run)[-1].ended_at), "the skip did not help")
    retried = sum(one.action == "retry" for one in tried(run))
    return Told(said=sentence, act=act_of(run), result=status(run), fine=retried == 3)


SCENES = (
    Scene(number=1, fault="a peer answers 503 past the pivot", play=_peer_out_of_order),
    Scene(number=2, fault="an undo is refused until its service is repaired", play=_undo_out_of_order),
    Scene(number=8, fault=f"{MANY} runs, and one peer refuses them all", play=_many_at_once),
    Scene(number=10, fault="a policy that can never mend it", play=_never_mended),
)
