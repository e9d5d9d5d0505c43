"""Settings, from environment variables. docs/settings.md describes each variable; a test compares the two."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from mydjango.mysql.options import connection_options
from mydjango.operations import environment

BASE_DIR = Path(__file__).resolve().parent.parent
PLATFORM = environment.platform()

DEBUG = environment.flag("DEBUG", default=not PLATFORM)

SECRET_KEY = environment.text("SECRET_KEY", "for-development-only" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set: with DEBUG off the project does not start without one.")

# The address under which guests reach the survey, e.g. https://survey.example.com.
PUBLIC_URL = environment.text("PUBLIC_URL").rstrip("/")
_public = urlsplit(PUBLIC_URL)
if PUBLIC_URL and (_public.scheme not in ("http", "https") or not _public.hostname):
    raise ImproperlyConfigured(f"PUBLIC_URL={PUBLIC_URL!r} is not an address such as https://survey.example.com.")

# With DEBUG on every host is allowed, so that sample events work in a fresh clone; in production also those that the
# platform gives a function, so that guests reach one that has neither PUBLIC_URL nor ALLOWED_HOSTS.
PLATFORM_HOSTS = environment.platform_hosts()
ALLOWED_HOSTS = ["*"] if DEBUG else [*environment.text("ALLOWED_HOSTS").replace(",", " ").split(), *PLATFORM_HOSTS]
if _public.hostname and not DEBUG:
    ALLOWED_HOSTS.append(_public.hostname)
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"] if PUBLIC_URL else []

# Pages of these origins may post to /submitSurvey (docs/embedding.md). CORS names here are django-cors-headers'.
CORS_ALLOWED_ORIGINS = environment.text("CORS_ORIGINS").replace(",", " ").split()
for _origin in CORS_ALLOWED_ORIGINS:
    _parts = urlsplit(_origin)
    if _parts.scheme not in ("http", "https") or _origin != f"{_parts.scheme}://{_parts.netloc}" or not _parts.netloc:
        raise ImproperlyConfigured(f"CORS_ORIGINS has {_origin!r}, which is no origin such as https://www.example.com.")
CORS_URLS_REGEX = r"^/submitSurvey$"
CORS_ALLOW_METHODS = ["POST"]
CORS_ALLOW_HEADERS = ["content-type", "idempotency-key"]
CORS_EXPOSE_HEADERS = ["Idempotent-Replayed", "Location", "Retry-After"]

INSTALLED_APPS = [
    "mydjango",
    "survey",
    "mydjango.cold_start.admin_app.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",  # for its templates
]
if find_spec("faaskit"):  # the development side, whose commands a package leaves out
    INSTALLED_APPS.append("faaskit")

MIDDLEWARE = [
    "mydjango.operations.invocation.InvocationMiddleware",
    "mydjango.operations.metrics.MetricsMiddleware",
    # Outside of what redirects and what replaces responses; not imported where no origin is named.
    *(["corsheaders.middleware.CorsMiddleware"] if CORS_ALLOWED_ORIGINS else []),
    "mydjango.http.compression.TextGZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "mydjango.http.content_security.ContentSecurityPolicyMiddleware",
    "mydjango.http.static.StaticFilesMiddleware",
    "mydjango.http.problems.ProblemMiddleware",
    "django.middleware.common.CommonMiddleware",
    "mydjango.http.form_body.FormMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "mydjango.http.middleware.PathMiddleware",
    "mydjango.http.unavailable.UnavailableMiddleware",
]
# PathMiddleware imports and runs these only where a path needs them (docs/coldstart.md): guests have no session, text
# has no language. Paths in neither list get STAFF_MIDDLEWARE. A path that ends in a slash covers all paths below it.
STAFF_MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "mydjango.http.language.LanguageMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
GUEST_MIDDLEWARE = ["survey.guest.blank_page.BlankPageMiddleware", "mydjango.http.language.LanguageMiddleware"]
GUEST_PATHS = ["/", "/s/", "/submitSurvey", "/thanks/", "/privacy", "/erase", "/erase/"]
GUEST_PATHS += ["/photos", "/photos/", "/brand/"]
PLAIN_PATHS = ["/hello/", "/welcome/", "/jieba/", "/healthz", "/openapi.json"]

ROOT_URLCONF = "mydjango.urls"
WSGI_APPLICATION = "mydjango.wsgi.application"
TEST_RUNNER = "tests.support.runner.PytestRunner"  # imported by `manage.py test` alone; tests are not shipped

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Renders widgets with the engine above: Django's default makes a second one, which scans all apps again.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"


def _database() -> dict[str, Any]:
    """Return MySQL's settings where MYSQL_HOST is set, else those of SQLite. Raises ImproperlyConfigured on SCF."""
    host = environment.text("MYSQL_HOST")
    if host:
        return {
            "ENGINE": "mydjango.mysql",
            "HOST": host,
            "PORT": environment.integer("MYSQL_PORT", 3306, minimum=1),
            "USER": environment.text("MYSQL_USER", "root"),
            "PASSWORD": environment.text("MYSQL_PASSWORD"),
            "NAME": environment.text("MYSQL_DATABASE", "survey"),
            "CONN_MAX_AGE": environment.integer("CONN_MAX_AGE", 0),
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": connection_options(),
            "TEST": {"CHARSET": "utf8mb4"},
        }
    path = environment.text("SQLITE_PATH")
    if PLATFORM == "scf" and not path:
        raise ImproperlyConfigured(
            "MYSQL_HOST is not set: on SCF the database is MySQL, since only /tmp is writable there and an instance's "
            "/tmp vanishes with it. Set MYSQL_HOST, or SQLITE_PATH if the data may be lost."
        )
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path or BASE_DIR / "db.sqlite3",
        # IMMEDIATE: a writer waits for its turn; otherwise a read that turns into a write fails at once.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL", "timeout": 10},
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
TIME_ZONE = "Asia/Shanghai"

BLANK_PAGES = BASE_DIR / "blank_pages"  # the survey page rendered for the package (survey/guest/blank_page.py)
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Before `collectstatic` there is no manifest: static files are served from the apps' folders.
_collected = (STATIC_ROOT / "staticfiles.json").is_file()
_storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
if not DEBUG and sys.argv[1:2] == ["collectstatic"]:
    _storage = "mydjango.http.hashed_files.HashedFilesStorage"
elif not DEBUG and _collected:
    _storage = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _storage},
}
WHITENOISE_USE_FINDERS = DEBUG or not _collected

EMAIL_HOST = environment.text("EMAIL_HOST")
_backend = "mydjango.operations.smtp" if EMAIL_HOST else "django.core.mail.backends.console"
EMAIL_BACKEND = f"{_backend}.EmailBackend"
# In production the console is the platform's log: without EMAIL_HOST mail stays queued.
SENDS_MAIL = bool(EMAIL_HOST) or DEBUG
EMAIL_PORT = environment.integer("EMAIL_PORT", 465, minimum=1)
EMAIL_HOST_USER = environment.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_SSL = environment.flag("EMAIL_USE_SSL", default=EMAIL_PORT == 465)
EMAIL_USE_TLS = environment.flag("EMAIL_USE_TLS", default=EMAIL_PORT == 587)
EMAIL_TIMEOUT = environment.integer("EMAIL_TIMEOUT", 5, minimum=1)  # seconds for one step of the conversation
# Seconds that one mail may need: connecting takes up to twice EMAIL_TIMEOUT, and servers are slow to accept a mail.
EMAIL_SECONDS = max(30, 2 * EMAIL_TIMEOUT)
MAIL_ATTEMPTS = environment.integer("MAIL_ATTEMPTS", 20, minimum=1)  # two days with the pauses between them
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", EMAIL_HOST_USER or "survey@localhost")


def _robot_hosts() -> list[tuple[str, int]]:
    """Return host and port of each entry of ROBOT_HOSTS. Raises ImproperlyConfigured for one that is neither."""
    entries = [urlsplit(f"//{entry}") for entry in environment.text("ROBOT_HOSTS").replace(",", " ").split()]
    try:
        hosts = [(entry.hostname or "", entry.port or 443) for entry in entries]
    except ValueError:
        hosts = [("", 0)]
    if not all(host for host, _port in hosts) or any(entry.path or entry.username for entry in entries):
        raise ImproperlyConfigured("ROBOT_HOSTS is not like robots.example.com, 203.0.113.5:8443.")
    return hosts


# Where robots may be posted to besides the hosts of WeCom, DingTalk and Feishu, such as a service on own machines. An
# address in a private network is refused unless it stands here as an address.
ROBOT_HOSTS = _robot_hosts()

# Guests' photos: the bucket's URL, without its credentials those of the function's role; or else a folder of a server.
PHOTO_BUCKET_URL = environment.text("PHOTO_BUCKET_URL").rstrip("/")
_bucket = urlsplit(PHOTO_BUCKET_URL)
if PHOTO_BUCKET_URL and (_bucket.scheme not in ("http", "https") or not _bucket.hostname or _bucket.query):
    raise ImproperlyConfigured(
        "PHOTO_BUCKET_URL is not an address such as https://photos-1250000000.cos.ap-guangzhou.myqcloud.com."
    )
PHOTO_BUCKET_REGION = environment.text("PHOTO_BUCKET_REGION", environment.region())  # of S3's signature; COS has none
PHOTO_SECRET_ID = environment.text("PHOTO_SECRET_ID")
PHOTO_SECRET_KEY = environment.text("PHOTO_SECRET_KEY")
PHOTO_FOLDER = environment.text("PHOTO_FOLDER", str(BASE_DIR / "photos") if DEBUG else "")

# http:// in PUBLIC_URL means that there is no TLS, as behind a local gateway.
_tls = not DEBUG and _public.scheme != "http"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _tls
SECURE_HSTS_SECONDS = 31_536_000 if _tls else 0
CSRF_FAILURE_VIEW = "mydjango.http.problems.csrf_failure"
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
if PHOTO_BUCKET_URL:
    # The bucket alone: its host, and its path where the bucket is one.
    _photos = f"{_bucket.scheme}://{_bucket.netloc}{_bucket.path and _bucket.path + '/'}"
    SECURE_CSP["img-src"].append(_photos)
    SECURE_CSP["connect-src"].append(_photos)
# W005, W021: HSTS for subdomains and preload would also hold for other customers of a shared default domain.
# E408 to E410: the admin looks for its middleware in MIDDLEWARE, and here STAFF_MIDDLEWARE has it.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "admin.E408", "admin.E409", "admin.E410"]

SESSION_ENGINE = "mydjango.http.sessions"

# Staff log in at /dashboard/, for Django's admin too.
LOGIN_URL = "dashboard:login"
LOGIN_REDIRECT_URL = "dashboard:today"
LOGOUT_REDIRECT_URL = "dashboard:login"
PASSWORD_RESET_TIMEOUT = 3 * 24 * 60 * 60  # seconds; survey/templates/mail/ says three days

# Bytes of a result's JSON, beyond which exports are divided; 0: no limit. SCF takes 6 MB, headers included.
RESPONSE_MAX_BYTES = environment.integer("RESPONSE_MAX_BYTES", 5_500_000 if PLATFORM else 0)

# On the privacy page: who runs the survey, how to reach them, and the days after which personal data is erased.
CHAIN_NAME = environment.text("CHAIN_NAME")
PRIVACY_CONTACT = environment.text("PRIVACY_CONTACT")
RETENTION_DAYS = environment.integer("RETENTION_DAYS", 365, minimum=1)
# From a low score to the time when somebody should have contacted the guest; 0: low scores have no due time.
FOLLOW_UP_HOURS = environment.integer("FOLLOW_UP_HOURS", 24)

# The allow-list of management commands for timers and direct invocations, each with the words that may follow it
# (docs/bridge.md). index.py reads it; the environment variable of this name replaces it.
MANAGE_COMMANDS = """
    migrate --noinput --check --plan;
    check --deploy;
    doctor;
    createsuperuser --noinput --username= --email=;
    drain_outbox --seconds=;
    update_figures --seconds=;
    queue_digests --seconds=;
    erase_submissions --older-than= --reference=;
    erase_responses --older-than= --reference=
"""

# In development Django's own readable lines, in production one JSON object a line.
LOGGING_CONFIG = "mydjango.operations.json_log.configure"
LOGGING: dict[str, Any] = {} if DEBUG else {"level": "INFO"}

# Per address, branch and hour; a restaurant's guests share one address. 0: no limit.
SUBMISSIONS_PER_HOUR = environment.integer("SUBMISSIONS_PER_HOUR", 300)
# From opening the page to sending it; 0: no minimum.
MINIMUM_FILL_SECONDS = environment.integer("MINIMUM_FILL_SECONDS", 2)

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000  # bytes; a submission has a few thousand
