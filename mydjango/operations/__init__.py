"""What operating a function takes: health, doctor, logging, the invocation's id and time, SMTP, addresses."""
