"""`python -m tests.system.histories`: record what is missing of the latest flow version's scenes, on a real server.

Do so when a scene is added, and when LATEST was raised. A history that is here already stays: it stands for the runs
that were in flight when a release changed the flow or its interpreter.
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
    from orchestration.core.saga import versions
    from tests.orchestration.engines.temporal.kept_stage import play_kept
    from tests.orchestration.engines.temporal.scenes import LONG, SCENES
    from tests.orchestration.engines.temporal.stage import play, with_limit
    from zen_project.embedded.temporal import temporal_dev_server

    folder_of_version = FOLDER / str(versions.LATEST)
    folder_of_version.mkdir(exist_ok=True)
    scenes = SCENES | {"continued": with_limit(LONG, 120)}
    with (
        tempfile.TemporaryDirectory() as folder,
        temporal_dev_server(Path(folder), database=None) as server,
    ):
        kept = FOLDER / "kept" / "kept.0.json"
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(asyncio.run(play_kept(server.address)).to_json())
        for name, scene in scenes.items():
            if (folder_of_version / f"{name}.0.json").exists():
                continue
            played = asyncio.run(play(server.address, scene))
            for number, history in enumerate(played.histories):
                (folder_of_version / f"{name}.{number}.json").write_text(history.to_json())
            print(f"{name}: {played.status}, {len(played.histories)} recorded")


if __name__ == "__main__":
    main()
