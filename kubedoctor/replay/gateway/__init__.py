"""How routes of the Gateway API attach to the listeners of Gateways."""
