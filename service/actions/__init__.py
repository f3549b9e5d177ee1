"""The verbs, a file each.

An action is given the runtime, owns its transactions, and decides nothing that ``domain`` could.
"""
