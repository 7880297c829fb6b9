"""perfSONAR measurement archives: the esmond contract."""
