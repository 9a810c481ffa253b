"""Services whose traffic goes to no pod, or to pods that do not take it."""
