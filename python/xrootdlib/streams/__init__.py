"""Streams of XRootD messages"""
