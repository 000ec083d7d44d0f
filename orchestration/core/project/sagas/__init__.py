"""The sagas that a project becomes, as definitions that any engine runs (docs/adr/0018).

`project` compiles a spec to the outer saga of phases, `tasks` a plan to the saga of its tasks, `acceptance` what was
verified to the saga that asks people for what nothing proves; `gate_steps` makes the step of a gate.

Each is a pure function, its result is validated in full, and the texts of a spec never become templates in it.
Imported by `core.project`; imports `core.definition`, `core.deployment` and the models beside it.
"""
