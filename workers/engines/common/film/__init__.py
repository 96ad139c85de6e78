"""Reading films and making them: demux, mux and burning in, with ffmpeg and PyAV."""
