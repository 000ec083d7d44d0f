"""The two sagas of the seed document, word for word."""

from __future__ import annotations

from typing import Any

ONBOARDING: dict[str, Any] = {
    "saga_id": "user-onboarding-saga",
    "name": "User Onboarding Process",
    "description": "Complete user onboarding with external services",
    "steps": [
        {
            "step_id": "create_account",
            "name": "Create User Account",
            "description": "Create user in auth service",
            "forward_action": {"type": "api_call", "url": "https://auth.company.com/users", "method": "POST"},
            "compensation_action": {
                "type": "api_call",
                "url": "https://auth.company.com/users/{user_id}",
                "method": "DELETE",
            },
            "agent_type": "CLAUDE",
            "timeout_minutes": 10,
            "retry_count": 3,
        },
        {
            "step_id": "setup_billing",
            "name": "Setup Billing Account",
            "description": "Create billing account",
            "forward_action": {"type": "api_call", "url": "https://billing.company.com/accounts", "method": "POST"},
            "compensation_action": {
                "type": "api_call",
                "url": "https://billing.company.com/accounts/{account_id}",
                "method": "DELETE",
            },
            "agent_type": "CLAUDE",
            "dependencies": ["create_account"],
        },
    ],
}

DEPLOYMENT: dict[str, Any] = {
    "saga_id": "microservice-deployment-v2.1.0",
    "name": "Microservice Deployment Pipeline",
    "description": "Deploy new version of microservices with rollback capability",
    "steps": [
        {
            "step_id": "deploy_database_migrations",
            "name": "Deploy Database Migrations",
            "description": "Apply database schema changes",
            "forward_action": {
                "type": "task",
                "description": "Run database migrations",
                "database": "production",
                "migration_version": "v2.1.0",
            },
            "compensation_action": {
                "type": "task",
                "description": "Rollback database migrations",
                "database": "production",
                "migration_version": "v2.0.5",
            },
            "agent_type": "CLAUDE",
            "timeout_minutes": 15,
            "retry_count": 2,
            "critical": True,
        },
        {
            "step_id": "deploy_auth_service",
            "name": "Deploy Authentication Service",
            "description": "Deploy auth service v2.1.0",
            "forward_action": {
                "type": "api_call",
                "url": "https://deploy.company.com/services/auth",
                "method": "POST",
                "payload": {"version": "v2.1.0", "replicas": 3},
            },
            "compensation_action": {
                "type": "api_call",
                "url": "https://deploy.company.com/services/auth",
                "method": "POST",
                "payload": {"version": "v2.0.5", "replicas": 3},
            },
            "agent_type": "CLAUDE",
            "dependencies": ["deploy_database_migrations"],
            "parallel_group": "services",
        },
        {
            "step_id": "deploy_api_gateway",
            "name": "Deploy API Gateway",
            "description": "Deploy API gateway v2.1.0",
            "forward_action": {
                "type": "api_call",
                "url": "https://deploy.company.com/services/gateway",
                "method": "POST",
                "payload": {"version": "v2.1.0", "replicas": 2},
            },
            "compensation_action": {
                "type": "api_call",
                "url": "https://deploy.company.com/services/gateway",
                "method": "POST",
                "payload": {"version": "v2.0.5", "replicas": 2},
            },
            "agent_type": "CLAUDE",
            "dependencies": ["deploy_database_migrations"],
            "parallel_group": "services",
        },
        {
            "step_id": "run_health_checks",
            "name": "Run Health Checks",
            "description": "Verify all services are healthy",
            "forward_action": {
                "type": "script",
                "script": "#!/bin/bash\ncurl -f https://api.company.com/health && "
                "curl -f https://auth.company.com/health",
            },
            "agent_type": "CLAUDE",
            "dependencies": ["deploy_auth_service", "deploy_api_gateway"],
            "timeout_minutes": 10,
            "retry_count": 5,
        },
        {
            "step_id": "update_load_balancer",
            "name": "Update Load Balancer",
            "description": "Switch load balancer to new services",
            "forward_action": {
                "type": "api_call",
                "url": "https://lb.company.com/config",
                "method": "PUT",
                "payload": {"active_version": "v2.1.0"},
            },
            "compensation_action": {
                "type": "api_call",
                "url": "https://lb.company.com/config",
                "method": "PUT",
                "payload": {"active_version": "v2.0.5"},
            },
            "agent_type": "CLAUDE",
            "dependencies": ["run_health_checks"],
            "critical": True,
        },
    ],
    "context": {
        "deployment_version": "v2.1.0",
        "previous_version": "v2.0.5",
        "environment": "production",
        "requester": "deploy-bot",
    },
}
