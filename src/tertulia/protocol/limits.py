"""The protocol's limits. Text is counted in code points, frames in bytes."""

FRAME_BYTES = 131_072
TEXT = 10_000
SLUG = 80
NAME = 200
TOPIC = 1_000
EMOJI = 32
URL = 2_000
# Of a search; as long as any sentence that somebody remembers.
QUERY = 200

PAGE = 100
PAGE_DEFAULT = 50
MEMBERS_FIRST = 100
REACTORS = 50
HERE = 100
# Of a `conflict`: the newest of those that a message was written without knowing.
UNSEEN = 50

# A resume longer than either becomes a reset.
RESUME_EVENTS = 500
RESUME_BYTES = 1_048_576

# What `welcome` tells the client.
ANNOUNCED = {"frame": FRAME_BYTES, "text": TEXT, "page": PAGE, "resume": RESUME_EVENTS}
