"""`conversation.search`, over real sockets and with each database."""
