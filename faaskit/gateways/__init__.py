"""The gateways: the event that each builds of a request, and how it reads the result."""
