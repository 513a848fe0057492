"""A SIP-to-AI media gateway: phone calls on one side, voice AIs over WebSocket on the other."""
