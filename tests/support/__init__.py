"""What the tests stand on: private services, real servers, clients, and the history checker."""
