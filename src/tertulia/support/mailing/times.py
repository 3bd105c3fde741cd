"""How long everything about a visitor's mail takes, and how much of it there may be.

Read as attributes of this module, so that tests can make them shorter.
"""

from __future__ import annotations

from datetime import timedelta

# After the last answer nothing is sent for so long: he may still read it, or more may come. But
# the first of them waits no longer than this.
QUIET = timedelta(seconds=60)
LATEST = timedelta(minutes=5)

# For so long a mail belongs to who has taken it. A mail server that hangs is given up long before.
LEASE = timedelta(minutes=10)
# Until the next try of a mail that could not be sent, and when there are no more.
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
)
GIVEN_UP = timedelta(days=2)

# Mails to one address in a day which were not followed by a visit, whoever has left it; and of one
# inbox.
DAY = timedelta(days=1)
TO_ONE = 3
OF_INBOX = 1_000

# Seconds between two looks at what is due: while there is something on the agenda, and else.
LOOK = 2
IDLE = 20
# Mails that a process has in hand at once; the others wait on the agenda.
AT_ONCE = 10

# How long the link in a mail is good.
LINK = timedelta(days=30)
