"""The jobs that timers run: delivering mail, daily figures, the digest, retention."""

from mydjango.operations import jobs

jobs.register("drain_outbox")
jobs.register("update_figures")
jobs.register("queue_digests")
