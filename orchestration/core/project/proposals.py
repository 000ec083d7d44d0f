"""The plan that an agent proposes: what it is asked, and the tasks in what it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from orchestration.core.definition.problems import DefinitionErrors
from orchestration.core.project.brief import brief_of
from orchestration.core.project.faults import fault
from orchestration.core.project.plan import PlanTask
from orchestration.core.project.requirements import ledger
from orchestration.core.project.spec import MOST_TASKS, ProjectSpec

BLOCK = re.compile(r"```(?:json)?[ \t]*\n(.*?)```", re.DOTALL)
MERGED = "These tasks are merged. Leave them out; what you plan may depend on them"
OTHERS = "Plan others in place of these, for the same requirements"
LONGEST_ANSWER = 200_000
ASKED = """\
## Plan this project

Look at the repository, change nothing, and end your answer with one JSON block of this form:

```json
{"tasks": [{"task_id": "cart", "title": "…", "prompt": "what the agent has to do", "agent_type": "CLAUDE",
  "requirements": ["R1"], "dependencies": [], "checks": ["make test"], "files": ["src/cart"]}]}
```

Every requirement has to be served by a task. `dependencies` are the ids of tasks that have to be merged before.
Tasks that change the same files depend on each other. `files` and `checks` may be left out."""


def question_of(spec: ProjectSpec) -> str:
    """What the planning agent is told."""
    agents = ", ".join(one.value for one in dict.fromkeys(spec.agents_required))
    lines = [f"- {one.requirement_id}: {one.text}" for one in ledger(spec)]
    bounds = f"At most {MOST_TASKS} tasks; agent_type is one of: {agents}."
    return "\n\n".join([brief_of(spec), "## Requirements", "\n".join(lines), ASKED, bounds])


def rest_of(done: Sequence[PlanTask], left: Sequence[PlanTask], words: str) -> str:
    """What the planning agent is told where people want only the rest planned again, for what they said."""
    parts = ["## Plan the rest again", f"{MERGED}:", _told(done), f"{OTHERS}:", _told(left)]
    return "\n\n".join([*parts, *([f"What people said:\n\n{words}"] if words else [])])


def _told(tasks: Sequence[PlanTask]) -> str:
    lines = [f"- {one.task_id} ({', '.join(one.requirements) or 'no requirement'}): {one.title}" for one in tasks]
    return "\n".join(lines) or "- none"


def proposed(text: str) -> Any:
    """The JSON of an answer: its last block, or else what stands between its outer braces.

    Raises:
        DefinitionErrors: there is none.
    """
    answer = text[-LONGEST_ANSWER:]
    blocks = BLOCK.findall(answer) or [answer[answer.find("{") : answer.rfind("}") + 1]]
    try:
        return json.loads(blocks[-1])
    except (ValueError, RecursionError):
        remedy = "let the agent end its answer with one JSON block that holds the tasks"
        raise DefinitionErrors([fault("plan", text[-80:], "is no JSON", remedy)]) from None
