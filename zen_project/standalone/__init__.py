"""`import zen_project.standalone` makes a plain script ready to use Zen.

The site is the one that DJANGO_SETTINGS_MODULE names, else the one that the environment describes. What is used is
imported after it:

    import zen_project.standalone
    from orchestration.client import get_temporal_client
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zen_project.settings")
django.setup()
