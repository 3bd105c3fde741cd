"""The live side of one process: it puts events into order and hands them to connections.

Everything here runs on one event loop and knows no database; `Hub` is told where to read.
"""
