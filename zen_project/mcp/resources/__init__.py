"""Resources: a run, its events, an approval, a project, a saga's definition, each at an address of its own.

`uris` has the addresses, `reading` what stands at one (what the tool of the same thing answers, so what REST shows),
`listing` the pages of what there is, `handlers` the methods of the protocol. `ids` finds ids by their beginning, for
completions.

Promises: who may not look reads and lists nothing; an answer is bounded as a tool's is; what is not there is refused
with REST's words, as invalid parameters with its `uri`. A change is told by `zen_project.mcp.subscriptions`.
"""
