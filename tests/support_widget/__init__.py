"""The addresses of the widget, over plain HTTP."""
