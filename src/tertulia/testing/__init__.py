"""What proves that an installation keeps its promises: clients, faults, histories, the checker.

Nothing of the product imports it.
"""
