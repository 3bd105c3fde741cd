"""The data folder's own secret key: into a backup, and back."""

from __future__ import annotations

from contextlib import suppress

from tertulia.project import datafolder
from tertulia.project.environment import Environment

from .archive import Saved
from .progress import Progress
from .uploads import sync_folder


def own_key(env: Environment) -> bytes | None:
    """The data folder's own key. One from elsewhere is the operator's to keep."""
    path = env.data / datafolder.KEY_FILE
    if env.secret_key or env.secret_key_file or not path.exists():
        return None
    return path.read_bytes()


class PuttingKey:
    """Makes the backup's key the data folder's, unless one is given by other means: `prepare`,
    then either `undo` or `finish`."""

    def __init__(self, env: Environment, saved: Saved) -> None:
        self._env = env
        self._key = saved.key
        self._path = env.data / datafolder.KEY_FILE
        self._draft = env.data / f".{datafolder.KEY_FILE}.restored"

    def prepare(self) -> None:
        """Write it beside the one in use."""
        self._draft.unlink(missing_ok=True)
        if self._key is None or self._env.secret_key or self._env.secret_key_file:
            return
        if own_key(self._env) != f"{self._key}\n".encode():
            datafolder.write_key(self._draft, self._key)
            sync_folder(self._draft.parent)

    def undo(self) -> None:
        """The old state stays."""
        with suppress(OSError):
            self._draft.unlink(missing_ok=True)

    def finish(self) -> None:
        """Behind the database: put it in place."""
        if self._draft.exists():
            self._draft.replace(self._path)
            sync_folder(self._path.parent)

    def tell(self) -> None:
        """Say what it means for sign-ins."""
        from django.conf import settings

        if self._key is None:
            Progress.say(
                "The backup holds no secret key: sign-ins hold if the one given is the same."
            )
        elif self._key != settings.SECRET_KEY:
            if self._env.secret_key or self._env.secret_key_file:
                Progress.say("The secret key given is not the backup's: everybody signs in anew.")
            else:
                Progress.say("The backup's secret key was put back: restart servers that run.")
