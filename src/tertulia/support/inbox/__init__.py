"""The page on which agents answer: a shell, which the browser fills through the socket."""
