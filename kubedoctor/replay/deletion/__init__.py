"""Why an object that was deleted is still there: grace periods, finalizers, the contents of a namespace."""
