"""What proves a decision: the audit's records of a request, its signed receipt, and how a receipt is checked.

`audit_records` says what the audit has of a request besides its votes; `receipt` collects rows and audit of an ended
request and signs them; `verify_receipt` does what docs/reference/receipts.md tells others to do, in the same order, and
reads no rows.

A receipt of an earlier release stays valid, so the spelling of what is hashed never changes. Nothing that contradicts
the audit is signed. Imported by `requests` (records) and by the doors that hand out receipts.
"""
