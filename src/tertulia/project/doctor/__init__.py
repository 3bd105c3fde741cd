"""`tertulia doctor`: looks at the deployment and names each fault with its mend.

It changes nothing, on the disk, in the database or in Redis's keys, and may run beside the
server. A fault is what loses data or lets somebody in, or what keeps doctor from knowing; a
warning is everything else that somebody should know of.
"""

from .run import doctor

__all__ = ["doctor"]
