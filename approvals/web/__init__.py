"""Pages outside the admin: the stable address of a request, and the page that a link opens.

A link identifies one person for one request, so its page shows that request and takes that person's decision only.
`showing` makes blocks of content that may be of any origin, `history` tells what was said before, `plain_text` is what
is shown without a page; `masking` keeps tokens of links out of the log.
Named in `zen_project` (URLs, logging); `showing`, `history` and `plain_text` are used by the admin's pages, too.
"""
