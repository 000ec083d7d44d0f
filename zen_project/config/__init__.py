"""Settings from the environment: each module reads one subject.

`env` has the typed readers, `_FILE` variants of secrets among them. A value that cannot be used is refused at start,
with the variable's name and the remedy. `zen_project/settings.py` calls these modules, and nothing else reads settings
from the environment.
"""
