"""Each gateway's event and how it reads the function's result."""
