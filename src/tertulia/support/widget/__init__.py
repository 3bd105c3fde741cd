"""What a site shows of an inbox: the button on its pages, the conversation in a frame.

Nothing here reads a cookie: who asks brings a visitor token, or has none yet.
"""
