"""An app that lowers what is no setting: caps and rates that tests would reach slowly."""

from django.apps import AppConfig

ADDRESS_SOCKETS = 12
PERSON_SOCKETS = 4
SENDS = 6
SIGN_INS_A_NAME = 3
SIGN_INS_AN_ADDRESS = 8


class SmallLimits(AppConfig):
    name = "small_limits"

    def ready(self) -> None:
        from tertulia.chat import capacity, live, runtime
        from tertulia.hub.limits import Rate
        from tertulia.project.accounts import throttle

        capacity.ADDRESS_SOCKETS = ADDRESS_SOCKETS
        live.PERSON_SOCKETS = PERSON_SOCKETS
        # One in so many seconds that no test waits for it.
        runtime.RATES["send"] = Rate(SENDS, 1 / 600)
        runtime.RATES["send_address"] = Rate(2 * SENDS, 1 / 600)
        runtime.RATES["guest"] = Rate(5, 1 / 600)
        throttle.RATES["sign_in_name"] = Rate(SIGN_INS_A_NAME, 1 / 600)
        throttle.RATES["sign_in_address"] = Rate(SIGN_INS_AN_ADDRESS, 1 / 600)
