"""What a step can do: one module for each type, a function `Call -> Result`.

An action knows no run and no row. Its result says `succeeded`, `failed` (certainly not done) or `unknown` (possibly
done): what is possibly done is never called failed, because a failed step is not undone (rule 4). It gets its
idempotency key and a deadline, and stops when it is told to. `base` has the types, `errors` what a task handler raises,
`output` makes what came back fit for a row. To add one: CONTRIBUTING.md.

Imported by `execution`, which performs them, and by `runs` and approvals for checks (`conditions`, `output_schema`).
`errors` is public: code of a site raises it in task handlers.
"""
