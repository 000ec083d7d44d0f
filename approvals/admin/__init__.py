"""The admin's pages of approvals: the inbox, the page of a request, policies, delegations.

A page asks `requests.allowed_actions` what the account may do, shows what `queries` returns, and calls one function of
`requests` for each button. It judges nothing.
Imported by Django's admin alone.
"""

from django.contrib import admin

from approvals.admin.delegations import DelegationAdmin
from approvals.admin.policies import PolicyAdmin
from approvals.admin.requests import RequestAdmin

admin.site.index_template = "approvals/admin/index.html"  # begins with what waits for the account

__all__ = ["DelegationAdmin", "PolicyAdmin", "RequestAdmin"]
