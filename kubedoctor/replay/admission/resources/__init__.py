"""What LimitRanges and ResourceQuotas make of an object that is created."""
