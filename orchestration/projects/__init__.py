"""Multi-agent projects: a spec becomes a saga, whose plan becomes the next saga (docs/adr/0018).

`start_multi_agent_project(project_spec=…, config=…)` starts one from Python; `start` is what every door calls.
`phases` performs the phases, as handlers of task steps under the reserved prefix `zen.`; `queries` is what doors read.
`deployment` brings a project's merged head to its users: a child saga of the project, or a run of its own. `folders`
clears what runs of old left on a machine, as a service of every worker.

What is decided about a project stands in `orchestration.core.project`; here are files, processes and rows. A project
has no scheduler, deadline or retry of its own: whatever works for a saga works for it. Imported by the doors.
"""

from orchestration.core.project import ProjectSpec
from orchestration.projects.python import start_multi_agent_project

__all__ = ["ProjectSpec", "start_multi_agent_project"]
