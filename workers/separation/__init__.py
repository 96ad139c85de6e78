"""What engines that separate voices from the rest share: pieces, stereo sound, the way to 16 kHz."""
