"""What people are told of a request: notices, links, reminders to delegates, webhooks.

`notify` turns the flow's `Tell` commands into notices: `addressees` says to whom they go, `texts` what they say,
`links` has the addresses for people without an account. `summaries` tells delegates what waits when a delegation
begins, and administrators of requests that have too few deciders; `callback_payload` is the webhook's body.

Everything here writes rows, in the transaction of the decision; `notifications` sends them after the commit. A link's
token is added when it is sent, and is stored nowhere. Imported by `requests` and `requests.state`; imports
`notifications.services` and `notifications.webhooks`.
"""
