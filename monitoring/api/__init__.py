"""REST for health: thin views over `queries` and `health_check`.

Each view is for whoever may see runs; it parses, calls one function and answers. Unknown parameters are refused, lists
have a bound. The addresses stand before orchestration's, whose `runs/<id>/<verb>/` would take them. Imported by
`zen_project.urls` alone.
"""
