"""Who I am, as I choose it: name, picture, language, time zone."""
