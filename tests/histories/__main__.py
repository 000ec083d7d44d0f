"""`python -m tests.histories`: record the scenes anew on a real server. Do so when a new kind of scene is added.

A history that is here already stays: it stands for the runs that were in flight when a release changed the interpreter.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

FOLDER = Path(__file__).parent


def main() -> None:
    import django

    django.setup()
    from tests.orchestration.engines.temporal.scenes import LONG, SCENES
    from tests.orchestration.engines.temporal.stage import play, with_limit
    from zen_project.embedded.temporal import temporal_dev_server

    scenes = SCENES | {"continued": with_limit(LONG, 120)}
    with (
        tempfile.TemporaryDirectory() as folder,
        temporal_dev_server(Path(folder), database=None) as server,
    ):
        for name, scene in scenes.items():
            if (FOLDER / f"{name}.0.json").exists():
                continue
            played = asyncio.run(play(server.address, scene))
            for number, history in enumerate(played.histories):
                (FOLDER / f"{name}.{number}.json").write_text(history.to_json())
            print(f"{name}: {played.status}, {len(played.histories)} recorded")


if __name__ == "__main__":
    main()
