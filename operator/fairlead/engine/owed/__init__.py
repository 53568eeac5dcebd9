"""What is owed on clusters: the ledger as this process sees it, deadlines that are over, and debts that are paid."""
