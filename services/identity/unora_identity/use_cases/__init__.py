"""What identity does for servicers, consumers, jobs and commands. Use cases read, decide, store, and emit events.

A refusal whose cause must be stored (a counted try, a revoked family) is a result of the transaction. It is raised
after the commit, because an exception inside would undo it.
"""
