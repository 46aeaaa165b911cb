"""The Domain Name System (RFC 1034, RFC 1035)."""
