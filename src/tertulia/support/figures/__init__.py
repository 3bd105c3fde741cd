"""The page with the figures: how soon visitors are answered, how well, and by whom.

What is counted is written while it happens (`measures.py`). Here a request is read (`asked.py`),
counted (`counting.py`, `report.py`) in a thread of its own (`aside.py`), and shown: as cards, plots
and tables, or as CSV.
"""
