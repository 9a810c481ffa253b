"""The cluster's DNS: which Service it is, which pods use it and what blocks them, and the content of a Corefile."""
