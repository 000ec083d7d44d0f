"""The REST API of approvals: thin views over `approvals.requests`, `approvals.policies` and `approvals.queries`.

A view parses, calls one function and renders; it judges nothing. Errors become problems (`foundation.api.errors`);
docs/reference/api.md has the addresses.
Imported by `zen_project.urls`.
"""
