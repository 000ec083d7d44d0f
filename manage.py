#!/usr/bin/env python
import os
import sys

from zen_project.console import main

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zen_project.settings")
    main(sys.argv)
