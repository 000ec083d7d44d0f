"""The REST API of orchestration: thin views over `orchestration.runs`.

A view parses, calls one function and renders; it judges nothing. Errors become problems (`foundation.api.errors`); an
`Idempotency-Key` makes an act count once. docs/reference/api.md has the addresses, `document` the OpenAPI document.
Imported by `zen_project.urls`.
"""
