"""
What older versions of the Execution API have otherwise. Pure.

Each module has the changes of one version: what it added, and so what a client of an older one does not have.
Changes are undone from the newest version down to the one that is served.
"""
