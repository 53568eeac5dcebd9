"""What one login or host of a Cluster does, turn by turn: API writes, Services, what is started there and when, within its limits."""
