"""`sipgw cdr`: lists, shows and exports the records of calls."""
