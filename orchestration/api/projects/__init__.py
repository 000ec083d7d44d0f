"""Projects over REST: validate and start one, and see its plan, tasks, requirements, evidence and costs.

Acts on a project are those on its run (`/runs/<workflow_id>/…`), its log is that of its run. Each view parses, calls
one function of `orchestration.projects` and renders; it judges nothing.

Imported by `orchestration.api.urls` alone.
"""
