"""What the objects add to each reason of the scheduler: which taint, how much of what, whose claim."""
