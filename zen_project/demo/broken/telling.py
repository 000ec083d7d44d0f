"""Plays the scenes, and prints what was said, done and reached."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from foundation.clock import now
from monitoring.models import PolicyVersion
from monitoring.recovery.policies import policies
from zen_project.demo.broken import attempts, peers, waits
from zen_project.demo.broken.scene import World
from zen_project.demo.stage import workers

SCENES = tuple(sorted((*peers.SCENES, *waits.SCENES, *attempts.SCENES), key=lambda scene: scene.number))
NUMBERS: Mapping[int, str] = {scene.number: scene.fault for scene in SCENES}


def tell_of_broken_runs(console: Console, world: World, only: int = 0) -> bool:
    """True when each ended as it should; those that the engine cannot have are left out, and that is said."""
    _be_here_since_yesterday()
    table = Table("#", "fault", "what is said", "act", "result", title="Broken on purpose", show_lines=True)
    fine = True
    for scene in SCENES:
        if only not in (0, scene.number):
            continue
        if world.engine not in scene.engines:
            console.print(f"  {scene.number}: {scene.fault}: not on the {world.engine} engine")
            continue
        console.print(f"  {now():%H:%M:%S} {scene.number}: {scene.fault} …")
        with workers(world.engine) if scene.workers else nullcontext():
            told = scene.play(world)
        fine = fine and told.fine
        cells = [escape(one) for one in (scene.fault, told.said, told.act, told.result)]
        table.add_row(str(scene.number), *cells, style=None if told.fine else "red")
    console.print(table)
    return fine


def _be_here_since_yesterday() -> None:
    """The policies that came with Zen leave alone what is older than they are, and some scenes move moments back."""
    policies()
    PolicyVersion.objects.filter(shipped=True).update(published_at=now() - timedelta(days=1))
