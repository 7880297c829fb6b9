"""Client and server of old; here is the client"""
