"""Signatures of segments: TCP-MD5 and TCP-AO."""
