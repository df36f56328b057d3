"""The one process per host that judges and records: wiring and nothing else."""
