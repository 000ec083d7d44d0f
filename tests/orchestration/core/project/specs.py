"""The two projects of the seed document, word for word, and a small one to change."""

from __future__ import annotations

from typing import Any

from orchestration.core.agent.agent_type import AgentType
from orchestration.core.definition import DefinitionErrors, Problem
from orchestration.core.project import ProjectSpec, validate_spec

ECOMMERCE: dict[str, Any] = dict(  # noqa: C408 - as the seed has it
    project_id="ecommerce-platform",
    name="E-commerce Platform",
    description="Build a scalable e-commerce platform with microservices architecture",
    requirements=[
        "User authentication and authorization",
        "Product catalog with search and filtering",
        "Shopping cart and checkout process",
        "Payment integration (Stripe)",
        "Order management system",
        "Admin dashboard",
        "Email notifications",
        "API documentation"
    ],
    constraints={
        "timeline": "4 weeks",
        "budget": 50000,
        "technology_stack": "Node.js, React, PostgreSQL, Redis",
        "deployment": "AWS EKS with CI/CD"
    },
    success_criteria=[
        "All user stories implemented and tested",
        "API response time < 200ms for 95% of requests",
        "Test coverage >= 85%",
        "Security audit passed",
        "Load testing passed (1000 concurrent users)",
        "Documentation complete"
    ],
    estimated_duration_hours=320,  # 4 weeks * 40 hours * 2 developers
    agents_required=[AgentType.CLAUDE, AgentType.AIDER, AgentType.CODEX],
    approval_gates=[
        "Architecture Review",
        "Security Review",
        "Performance Testing",
        "Production Deployment"
    ]
)  # fmt: skip
ECOMMERCE_CONFIG: dict[str, Any] = {
    "approval_timeout": 48 * 60 * 60,  # 48 hours for approvals
    "parallel_execution": True,
    "max_parallel_agents": 3,
    "retry_failed_phases": True,
    "automatic_testing": True,
    "deployment_strategy": "blue_green",
    "monitoring_enabled": True
}  # fmt: skip

WEB_APP: dict[str, Any] = dict(  # noqa: C408
    project_id="web-app-project",
    name="E-commerce Web Application",
    description="Build a complete e-commerce solution",
    requirements=[
        "User authentication system",
        "Product catalog with search",
        "Shopping cart and checkout",
        "Admin dashboard"
    ],
    constraints={"timeline": "2 weeks", "budget": 10000},
    success_criteria=[
        "All features functional",
        "Tests passing with >80% coverage",
        "Performance meets requirements"
    ],
    estimated_duration_hours=80,
    agents_required=[AgentType.CLAUDE, AgentType.AIDER],
    approval_gates=["Backend API", "deployment"]
)  # fmt: skip
WEB_APP_CONFIG: dict[str, Any] = {
    "approval_timeout": 24 * 60 * 60,  # 24 hours
    "parallel_execution": True
}  # fmt: skip


def given(**more: Any) -> dict[str, Any]:
    """A valid spec of two requirements, with these keys changed."""
    return {
        "project_id": "shop", "name": "Shop", "requirements": ["A cart", "A till"], "agents_required": ["CLAUDE"]
    } | more  # fmt: skip


def spec(**more: Any) -> ProjectSpec:
    return ProjectSpec(**given(**more))


def either(data: object) -> tuple[ProjectSpec | None, tuple[Problem, ...]]:
    """The spec, or what is wrong with it."""
    try:
        return validate_spec(data), ()
    except DefinitionErrors as errors:
        return None, errors.problems


def task(task_id: str, *requirements: str, **more: Any) -> dict[str, Any]:
    return {"task_id": task_id, "prompt": f"do {task_id}", "requirements": list(requirements)} | more
