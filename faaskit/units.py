"""Units of size, in bytes. SCF's limits on events and memory count in MEBIBYTE, its limits on packages in MEGABYTE."""

MEBIBYTE = 1024 * 1024
MEGABYTE = 1_000_000
