"""Representation of XRootD structs"""
