"""What touches the network and the clock: drivers and transports that run the cores."""
