"""What programs tell each other about subtitles: the documents of export, quality check and preview."""
