"""The tests: black-box ones over real sockets, and pure ones beside them."""
