"""`python -m zen_project.management …`: what `manage.py` and the command `zen` do, wherever Zen is installed."""

from zen_project.management.console import zen

zen()
