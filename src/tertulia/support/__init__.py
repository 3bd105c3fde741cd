"""The support desk: visitors of a website write, agents answer.

A conversation is a room of kind `support`; all that the chat promises of rooms holds for it.
"""
