"""Quantities as people write them: how long a project may take, and what it may cost.

`durations` reads "2 weeks" and "10d", `amounts` reads 10000 and "$10k". What is no such quantity is a ValueError whose
text says what is wrong; HOW says what to write instead. Nothing is guessed: "soon" is refused and not ignored.

Imported by `core.project` alone; imports the standard library.
"""
