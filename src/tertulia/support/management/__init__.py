"""What can be done with the support desk by hand."""
