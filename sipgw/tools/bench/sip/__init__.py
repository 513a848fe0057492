"""`sipgw bench sip`: what the signalling of a call costs control, driven by SIPp; and what a message costs alone."""
