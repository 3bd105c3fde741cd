"""`bin/demo`: a site with people, rooms and weeks of talk, to look at and to try things on.

`rooms/*.txt` hold who said what (`script.py` says how they are written), `cast.py` who they
are. `stage.py` plays them through the same actions as everything else that is written.
"""
