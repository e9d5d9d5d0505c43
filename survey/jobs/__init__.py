"""What timers run."""

from mydjango.operations import jobs

jobs.register("drain_outbox")
jobs.register("update_figures")
