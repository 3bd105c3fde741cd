"""People: signing in, up and out, invitations and the first administrator."""
