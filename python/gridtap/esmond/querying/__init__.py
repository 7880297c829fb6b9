"""What the query commands do, beneath their command lines: rows, outputs, plots, bulk pulls."""
