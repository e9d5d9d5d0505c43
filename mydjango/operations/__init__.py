"""Operating a function: health check, doctor, jobs, JSON log, request id and time limit, SMTP, public URL."""
