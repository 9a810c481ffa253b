"""What the objects show beyond each reason of the scheduler: which taint, how much of which resource, which claim."""
