"""Reading films and making them: demux, mux and burning in, through ffmpeg and PyAV."""
