"""What a connection may take: of time and of space."""

CONNECT_SECONDS = 5.0
IDLE_SECONDS = 75.0
SILENT_SECONDS = 300.0
MOST_CONNECTIONS = 1000
MOST_HEAD = 64 * 1024
CHUNK = 64 * 1024
