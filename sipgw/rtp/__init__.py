"""RTP and RTCP on the wire: packets, sequence numbers, statistics, keys pressed. Pure."""
