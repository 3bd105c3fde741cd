"""Django's settings of the ready-made site with a heartbeat for which a short fault can wait."""

from tertulia.project.settings import *  # noqa: F403
from tertulia.project.settings import TERTULIA

TERTULIA = {**TERTULIA, "HEARTBEAT": 2}
