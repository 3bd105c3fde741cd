"""With what the site does not start: a key or a password that anybody knows, and settings that
show or trust too much. `tertulia doctor` asks the same questions."""
