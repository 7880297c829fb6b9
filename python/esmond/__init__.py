"""The import paths that the guides of esmond print, served by gridtap."""
