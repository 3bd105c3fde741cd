"""What kind of file system a path is on."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

Kind = Literal["disk", "network", "memory", "container"]
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(
        (
            *("nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ncpfs"),
            *("ceph", "glusterfs", "lustre", "beegfs", "gpfs", "ocfs2", "gfs2", "9p", "davfs"),
            *("fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone"),
            *("fuse.davfs2", "fuse.juicefs", "fuse.goofys"),
        ),
        "network",
    ),
    **dict.fromkeys(("tmpfs", "ramfs"), "memory"),
    **dict.fromkeys(("overlay", "aufs"), "container"),
}
_OCTAL = re.compile(r"\\([0-7]{3})")


def kind_of(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> tuple[str, Kind]:
    """Its name and kind; ("", "disk") where the system does not tell."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return "", "disk"
    real = os.path.realpath(path)
    best = ("", "")
    for line in lines:
        before, _, after = line.partition(" - ")
        where = _OCTAL.sub(lambda code: chr(int(code[1], 8)), before.split()[4])
        inside = real == where or real.startswith(where.rstrip("/") + "/")
        # Of two on the same place the later one is seen.
        if inside and len(where) >= len(best[0]):
            best = (where, after.split()[0])
    return best[1], _KINDS.get(best[1], "disk")
