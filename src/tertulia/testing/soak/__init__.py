"""Half an hour of people coming and going, and of small faults: does anything grow for ever?"""
