"""Can a node be drained? The pods that leave, the budgets that refuse, and where the replacements run."""
