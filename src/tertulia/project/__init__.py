"""The ready-made site: Tertulia from the command line, configured by the environment."""
