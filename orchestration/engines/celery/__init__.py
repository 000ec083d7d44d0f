"""The own engine: rows in the database are the truth, a Celery message is only a doorbell."""
