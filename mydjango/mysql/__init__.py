"""Django's MySQL backend over PyMySQL."""
