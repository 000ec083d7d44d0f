"""Filters and tags of monitoring's pages.

`overview` shows lengths of time, shares and severities in words, each with a tone that a sign repeats, so that colour
says nothing alone. They format what the views give and read nothing.

Imported by Django's templates alone.
"""
