"""`bin/dev`: the site for those who work on it, on this machine only.

It shows errors with their tracebacks, reads everything fresh from the disk, starts anew when
Python changes, and reloads the page in every browser that shows one. It needs
django-browser-reload, which only a clone's requirements have, and is no part of the wheel.
"""

SWITCH = "TERTULIA_DEV"
