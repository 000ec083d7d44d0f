"""The programs that a step of type `script` runs.

`environment` says what a program sees of this machine; `confined` starts it within bounds of time, memory, files and
output, and ends all its processes when it ends, also those that it left behind. With ZEN_SCRIPTS=sandboxed it runs in
bubblewrap. Imported by `actions.script`; docs/explanation/security.md says what is kept from it.
"""
