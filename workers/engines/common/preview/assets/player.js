"use strict";

// The film and its text tracks. Without a film, a clock that stands where it was put.

class Player {
  constructor(video, media) {
    this.video = video;
    this.media = media;
    this.standing = 0;
    this.textTracks = new Map();
    if (media) video.src = media.url;
  }

  // On the film's clock, in ms.
  get position() {
    if (!this.media) return this.standing;
    return Math.round(this.video.currentTime * 1000) + this.media.starts_ms;
  }

  get isPlaying() {
    return Boolean(this.media) && !this.video.paused && !this.video.ended;
  }

  seek(ms) {
    this.standing = Math.max(0, ms);
    if (this.media) this.video.currentTime = Math.max(0, ms - this.media.starts_ms) / 1000;
  }

  toggle() {
    if (!this.media) return;
    // A play that is overtaken by a pause is refused, which is nobody's error.
    if (this.video.paused) this.video.play().catch(() => {});
    else this.video.pause();
  }

  // Show these tracks on the film, and no others.
  show(tracks) {
    if (!this.media) return;
    for (const textTrack of this.textTracks.values()) textTrack.mode = "disabled";
    for (const track of tracks) this.textTrackOf(track).mode = "showing";
  }

  // Made when it is first wanted: a track once added cannot be taken away.
  textTrackOf(track) {
    if (this.textTracks.has(track)) return this.textTracks.get(track);
    const made = this.video.addTextTrack("subtitles", track.name, track.language);
    for (const [start, end, , lines] of track.cues) {
      const [from, until] = [start, end].map((ms) => (ms - this.media.starts_ms) / 1000);
      if (until <= Math.max(0, from)) continue;
      // A cue's text is WebVTT's markup, and ours is none.
      const text = lines.join("\n").replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
      const cue = new VTTCue(Math.max(0, from), until, text);
      if (!this.media.has_picture) {
        // Where there is no picture, the controls lie where subtitles would.
        cue.snapToLines = false;
        cue.line = 15;
      }
      made.addCue(cue);
    }
    this.textTracks.set(track, made);
    return made;
  }
}
