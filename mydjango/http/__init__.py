"""Between server and views: middleware, error responses, languages, static files, strict parsing of bodies."""
