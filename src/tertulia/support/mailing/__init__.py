"""Answers that a visitor has not read reach him by mail, with a link back to the conversation."""
