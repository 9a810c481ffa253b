"""Services without endpoints, ports or addresses."""
