"""The client"""
