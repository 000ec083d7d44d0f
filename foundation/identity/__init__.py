"""Who acts, and what they may do.

`Actor` is an account, or a process without one, at a door; `permissions` are the roles and the rights of each; `tokens`
makes and withdraws API tokens; `authentication` finds the actor of a request; `names` compares names and mailboxes.

Rights are decided by ids of accounts, never by names, since names change and are used again. A door builds the actor
from how the caller was authenticated, never from what the caller sends. Services ask `permissions.require` themselves,
so no door can forget it. Everything may import it; the models are in `foundation.models`.
"""
