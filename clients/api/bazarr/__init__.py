"""What Bazarr and its kin speak: the interface of whisper-asr-webservice and subgen."""
