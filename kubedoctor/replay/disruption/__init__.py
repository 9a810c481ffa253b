"""Who may make pods leave: disruption budgets, evictions and drains."""
