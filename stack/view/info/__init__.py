"""What packets say, in the words of Wireshark's Info column: one file for each layer."""
