"""What `benchmarks/plans.py` is made of: a large, uneven site, the product's readings of it, and
what the database does for each."""
