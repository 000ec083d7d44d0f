"""Prompts: what a person picks in their client: draft a saga or a project, explain a failure, read an approval.

`entries` says what each is called and asks for; `texts` writes what the model reads, with the run or the request at
hand as an embedded resource, marked as what people and services sent; `handlers` are the protocol's methods, and
completions of ids in arguments and in addresses.

Promises: a prompt does nothing and decides nothing, it only reads, with the caller's rights; what it does not know is
refused with REST's words; a review ends with the person, never with a decision of the model.
"""
