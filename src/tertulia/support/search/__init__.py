"""Searching the support desk: by what was said, by notes, and by who the visitor is.

`words` says what a word is, in texts and in queries; `index` keeps the words of each message in the
transaction that writes it; `sqlite` and `postgres` are what a database needs to find them, and
`find` is the reading behind `conversation.search`.
"""
