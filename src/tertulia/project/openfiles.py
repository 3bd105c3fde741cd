"""How many files the server may have open: each socket is one."""

from __future__ import annotations

from contextlib import suppress

# What a shell gives by default (1,024) is for programs that use select(); more than this is no
# use to one process, and some containers allow a thousand million.
ENOUGH = 131_072


def allowed() -> int | None:
    """How many `tertulia serve` will have; None where they are not limited, or nobody knows."""
    try:
        import resource
    except ImportError:  # not on this platform
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    if hard == resource.RLIM_INFINITY:
        return max(soft, ENOUGH)
    return max(soft, min(hard, ENOUGH))


def allow() -> None:
    """Take what the system allows, for this process and its workers."""
    wanted = allowed()
    if wanted is None:
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems have a lower limit of their own than they tell.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
