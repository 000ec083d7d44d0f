"""Middleware and hooks around every view.

`addresses` finds the client's address through trusted proxies, `bodies` refuses bodies that are too large before they
are read, `headers` sets the security headers, `logins` says what a locked-out visitor sees and keeps it in the audit.
Named in `zen_project/settings.py`.
"""
