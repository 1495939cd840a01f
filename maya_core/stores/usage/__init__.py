"""The ledger of model calls, its sums, and the month's allowances."""
