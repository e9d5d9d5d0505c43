"""Build the archives of function and layer, and verify them."""
