"""What the home can do beside its lists: go through time, unfold incidents, go back and on."""
