"""The jobs that timers run: delivering mail, daily figures, retention."""

from mydjango.operations import jobs

jobs.register("drain_outbox")
jobs.register("update_figures")
