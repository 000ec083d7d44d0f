#!/usr/bin/env python
from zen_project.management.console import zen

if __name__ == "__main__":
    zen()
