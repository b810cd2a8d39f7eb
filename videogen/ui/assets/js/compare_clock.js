// One clock for several videos: it leads, they follow. Small drift is made up by pace, large drift by a jump, and
// while one has nothing to show, all wait for it. A shorter one stands on its last picture until the clock begins again.
(() => {
  const JUMP = 0.25; // seconds of drift that no pace can make up unseen
  const CLOSE = 0.02; // less than a frame: as good as in step
  const PULL = 0.1; // the most by which a pace is changed
  const LAST = 0.04; // before its very end a video still shows a picture
  const READY = 3; // HAVE_FUTURE_DATA

  class CompareClock {
    constructor(videos, changed) {
      this.videos = videos;
      this.changed = changed;
      this.at = 0;
      this.since = 0;
      this.playing = false;
      this.stalled = false;
      this.loop = true;
      this.drifts = new Map();
      this.length = Math.max(...videos.map((video) => video.duration || 0));
      this.frames = typeof HTMLVideoElement.prototype.requestVideoFrameCallback === "function";
      this.turn = this.turn.bind(this);
      this.request = null;
      if (this.frames) for (const video of videos) this.listen(video);
    }

    /** Where the clock stands, in seconds, at a moment of `performance.now()`. */
    position(now = performance.now()) {
      const running = this.playing && !this.stalled;
      return Math.min(this.length, running ? this.at + (now - this.since) / 1000 : this.at);
    }

    set(at) {
      this.at = at;
      this.since = performance.now();
    }

    play() {
      if (this.playing) return;
      if (this.at >= this.length - LAST) this.seek(0);
      this.playing = true;
      this.set(this.at);
      this.request ??= window.requestAnimationFrame(this.turn);
      this.changed();
    }

    pause() {
      this.set(this.position());
      this.playing = false;
      this.stalled = false;
      for (const video of this.videos) {
        video.pause();
        video.playbackRate = 1;
      }
      this.align();
      this.changed();
    }

    seek(at) {
      this.set(Math.min(Math.max(at, 0), this.length));
      this.align();
      this.changed();
    }

    close() {
      this.playing = false;
      if (this.request !== null) window.cancelAnimationFrame(this.request);
      this.request = null;
      for (const video of this.videos) {
        video.pause();
        video.removeAttribute("src");
        video.load();
      }
      this.videos = [];
    }

    /** Every video's own place at this position: its end where it is shorter. */
    place(video, position) {
      return Math.max(0, Math.min(position, video.duration - LAST));
    }

    align() {
      for (const video of this.videos) {
        const place = this.place(video, this.position());
        if (Math.abs(video.currentTime - place) > CLOSE / 2) video.currentTime = place;
      }
    }

    turn() {
      this.request = null;
      if (!this.playing) return;
      this.request = window.requestAnimationFrame(this.turn);
      const position = this.position();
      if (position >= this.length) return this.end();
      const due = this.videos.filter((video) => position < video.duration - LAST);
      const waits = due.some((video) => video.seeking || video.readyState < READY);
      if (waits !== this.stalled) {
        this.set(position);
        this.stalled = waits;
        this.changed();
      }
      for (const video of this.videos) {
        const plays = due.includes(video) && !this.stalled;
        if (plays && video.paused) video.play().catch(() => this.playing && this.pause());
        if (!plays && !video.paused) video.pause();
        if (plays && !this.frames) this.correct(video, video.currentTime - position);
      }
      this.changed();
      return undefined;
    }

    end() {
      if (this.loop) return this.seek(0);
      this.pause();
      return undefined;
    }

    /** Told by the browser for each picture that is really shown, and when. */
    listen(video) {
      const shown = (_now, picture) => {
        if (!this.videos.includes(video)) return;
        video.requestVideoFrameCallback(shown);
        if (!video.paused && !video.seeking && !this.stalled) {
          this.correct(video, picture.mediaTime - this.position(picture.expectedDisplayTime));
        }
      };
      video.requestVideoFrameCallback(shown);
    }

    correct(video, drift) {
      this.drifts.set(video, drift);
      if (Math.abs(drift) > JUMP) {
        video.playbackRate = 1;
        video.currentTime = this.place(video, this.position());
      } else {
        video.playbackRate = Math.abs(drift) < CLOSE ? 1 : 1 - Math.min(Math.max(drift, -PULL), PULL);
      }
    }
  }

  videogen.CompareClock = CompareClock;
})();
