from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django import Settings

from foundation.models import ApiToken
from tests.support.mcp_clients import Target, in_process


@dataclass(frozen=True)
class Person:
    """An account with a token: how it calls tools, and how REST."""

    user: User
    token: str
    tools: Target
    rest: Client

    def get(self, path: str) -> Any:
        return self.rest.get(f"/api/v1/{path}").json()


@pytest.fixture
def person(transactional_db: None, settings: Settings) -> Callable[..., Person]:
    """Makes an account, for which a server in this process then acts."""

    def made(role: str, name: str = "", **token: Any) -> Person:
        user = User.objects.create_user(name or f"{role}1", email=f"{name or role}@example.com")
        if role:
            user.groups.add(Group.objects.get_or_create(name=role)[0])
        text = ApiToken.issue(user, **token)[1]
        settings.ZEN_MCP_TOKEN = text
        return Person(user, text, in_process(), Client(headers={"Authorization": f"Bearer {text}"}))

    return made
