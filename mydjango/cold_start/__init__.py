"""What keeps a cold start short: imports, apps, URLs and the admin on first use, bytecode in one file."""
