"""The admin door of approvals: the inbox, the page of a request, policies, delegations, callbacks."""

from django.contrib import admin

from approvals.admin.callbacks import CallbackAdmin, EndpointAdmin
from approvals.admin.delegations import DelegationAdmin
from approvals.admin.policies import PolicyAdmin
from approvals.admin.requests import RequestAdmin

admin.site.index_template = "approvals/admin/index.html"  # begins with what waits for whoever looks

__all__ = ["CallbackAdmin", "DelegationAdmin", "EndpointAdmin", "PolicyAdmin", "RequestAdmin"]
