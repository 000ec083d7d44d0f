from django.urls import path, re_path, register_converter
from drf_spectacular.views import SpectacularAPIView

from orchestration.api import views_acts, views_agents, views_definitions, views_logs, views_runs
from orchestration.api.projects import views as projects
from orchestration.api.projects.output import output_stream
from orchestration.api.stream import log_stream, stream


class WorkflowId:
    regex = r"[A-Za-z0-9][A-Za-z0-9_.:~-]{0,199}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Version(WorkflowId):
    regex = "[0-9]{1,9}"


register_converter(WorkflowId, "workflow_id")
register_converter(Version, "version")
AGENT = "agents/<workflow_id:name>/"
PROJECT = "projects/<workflow_id:workflow_id>/"
RUN = "runs/<workflow_id:workflow_id>/"

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("definitions/", views_definitions.Definitions.as_view(), name="api-definitions"),
    path("definitions/validate/", views_definitions.Validate.as_view(), name="api-validate"),
    path("definitions/schema/", views_definitions.DefinitionSchema.as_view(), name="api-definition-schema"),
    path("definitions/preview/", views_definitions.Preview.as_view(), name="api-definition-preview"),
    path(
        "definitions/<workflow_id:saga_id>/versions/<version:version>/matrix/",
        views_definitions.DefinitionMatrix.as_view(),
        name="api-definition-matrix",
    ),
    path(
        "definitions/<workflow_id:saga_id>/versions/<version:version>/",
        views_definitions.DefinitionVersion.as_view(),
        name="api-definition",
    ),
    path("runs/", views_runs.Runs.as_view(), name="api-runs"),
    path(RUN, views_runs.RunDetail.as_view(), name="api-run"),
    path(f"{RUN}events/", views_runs.RunEvents.as_view(), name="api-events"),
    path(f"{RUN}events/stream", stream, name="api-stream"),
    path(f"{RUN}attempts/", views_runs.RunAttempts.as_view(), name="api-attempts"),
    path(f"{RUN}logs/", views_logs.RunLogs.as_view(), name="api-logs"),
    path(f"{RUN}logs/stream", log_stream, name="api-log-stream"),
    path(f"{RUN}why/", views_runs.RunWhy.as_view(), name="api-why"),
    path(f"{RUN}preview/<str:verb>/", views_acts.RunPreview.as_view(), name="api-preview"),
    path(f"{RUN}<str:verb>/", views_acts.RunAct.as_view(), name="api-act"),
    path("agents/", views_agents.Agents.as_view(), name="api-agents"),
    path(AGENT, views_agents.AgentDetail.as_view(), name="api-agent"),
    path(f"{AGENT}check/", views_agents.AgentCheck.as_view(), name="api-agent-check"),
    path(f"{AGENT}enable/", views_agents.AgentEnable.as_view(), name="api-agent-enable"),
    path(f"{AGENT}disable/", views_agents.AgentDisable.as_view(), name="api-agent-disable"),
    path(f"{AGENT}remove/", views_agents.AgentRemove.as_view(), name="api-agent-remove"),
    path("projects/", projects.Projects.as_view(), name="api-projects"),
    path("projects/validate/", projects.ProjectValidate.as_view(), name="api-project-validate"),
    path(PROJECT, projects.ProjectDetail.as_view(), name="api-project"),
    path(f"{PROJECT}plan/", projects.ProjectPlan.as_view(), name="api-project-plan"),
    path(f"{PROJECT}tasks/", projects.ProjectTasks.as_view(), name="api-project-tasks"),
    path(f"{PROJECT}requirements/", projects.ProjectRequirements.as_view(), name="api-project-requirements"),
    path(f"{PROJECT}evidence/", projects.ProjectEvidence.as_view(), name="api-project-evidence"),
    path(f"{PROJECT}output/", output_stream, name="api-project-output"),
    path(f"{PROJECT}costs/", projects.ProjectCosts.as_view(), name="api-project-costs"),
    re_path("", views_definitions.Nowhere.as_view(schema=None)),
]
