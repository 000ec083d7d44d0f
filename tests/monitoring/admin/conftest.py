from tests.orchestration.admin.conftest import browser, engine, page, visitor

__all__ = ["browser", "engine", "page", "visitor"]
