"""A short cold start: imports, models, URLs and the admin on first use, and bytecode in one file."""
