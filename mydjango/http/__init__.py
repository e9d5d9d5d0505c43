"""What every response passes: middleware, error responses, languages, static files, JSON bodies."""
