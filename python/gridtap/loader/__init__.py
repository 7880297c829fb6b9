"""From the logs of GridFTP servers into an archive, every transfer once.

::

    sources (files, rotated or not)  ->  mapping (what is stored)  ->  grouping (by test and second)
                 state (how far)  <-  loading  ->  sending (requests, retries)  ->  dead_letter
"""
