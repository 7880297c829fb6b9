"""Measurements of perfSONAR"""
