"""Small parts that work on PCM: tones, levels, prompts, concealment, voice activity. Pure."""
