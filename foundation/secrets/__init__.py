"""Secrets by reference, so that no value of one is stored.

A definition names `{secret:NAME}`; `store` resolves the name when the action is called, and `redaction` masks the
value, in its `spellings` and in the encodings that `disguises` lists, in everything that comes back before it reaches a
row, a log or a page.
Values come from the environment (ZEN_SECRET_NAME) or from files in ZEN_SECRETS_DIR; one of fewer than four characters
is refused, since it could not be told from other text.

`store.resolve` is called inside an action or a channel, and nowhere else; what is stored or logged passes through
`redaction.redact`.
"""
