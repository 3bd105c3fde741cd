"""Opening a connection: who somebody is, asked of the database seldom and of many at once.

`door` is what the sockets use. `token` is the short-lived connect token which spares a client
that comes back every question; `endings` knows whose tokens are void; `arrivals` looks at those
who came by one a moment later, and `asking` gathers those who come without.
"""
