"""What is said about certificates, synchronised secrets, delivery from Git and charts, and cloud identities."""
