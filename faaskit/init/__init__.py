"""Find out what a project is, and write what its function needs."""
