"""What the admin pages of all apps share.

`base.ReadOnlyAdmin` lists rows and lets nobody edit them; `base.PageAdmin` gives a row a page of its own. `badges` has
the tones and icons that a status can have; the words of each status lie with their app (`orchestration.badges`).

A page judges nothing: it shows what a query of its app returns, and calls one service for each button. Imported by the
`admin` packages of the other apps; it imports `foundation.identity` only.
"""
