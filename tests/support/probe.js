// Measures what a page shows and plays. `window.__probe.of(video)` watches one video element.
(() => {
  class Probe {
    constructor(video) {
      this.video = video;
      this.frames = []; // [ms when a frame was handed to the compositor, how many were so far]
      this.canvas = document.createElement('canvas');
      const next = (_now, { presentationTime, presentedFrames }) => {
        this.frames.push([presentationTime, presentedFrames]);
        if (this.frames.length > 20000) this.frames.splice(0, 10000);
        video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
    }

    // points: fractions of the picture; each answer is the mean of a small patch, [r, g, b]
    pixels(points, patch = 5) {
      const { video, canvas } = this;
      const { videoWidth: width, videoHeight: height } = video;
      if (!width) return null;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
      context.drawImage(video, 0, 0);
      return points.map(([x, y]) => this.mean(context, x * width, y * height, patch));
    }

    mean(context, x, y, patch) {
      const { data } = context.getImageData(Math.round(x - patch / 2), Math.round(y - patch / 2), patch, patch);
      const sum = [0, 0, 0];
      for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c += 1) sum[c] += data[i + c];
      return sum.map((value) => Math.round((value * 4) / data.length));
    }

    // What is heard in the next ms, as a base64 Ogg or WebM file.
    async record(ms) {
      const tracks = this.video.srcObject.getAudioTracks();
      const recorder = new MediaRecorder(new MediaStream(tracks), { audioBitsPerSecond: 256000 });
      const parts = [];
      recorder.ondataavailable = ({ data }) => parts.push(data);
      const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
      recorder.start();
      await new Promise((resolve) => { setTimeout(resolve, ms); });
      recorder.stop();
      await stopped;
      const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    }

    // Resolves with the time (ms) at which a frame was shown that satisfies the test.
    until(test, timeout = 10000) {
      return new Promise((resolve, reject) => {
        const end = performance.now() + timeout;
        const next = (_now, { presentationTime }) => {
          if (test(this)) resolve(presentationTime);
          else if (performance.now() > end) reject(new Error('no such frame in time'));
          else this.video.requestVideoFrameCallback(next);
        };
        this.video.requestVideoFrameCallback(next);
      });
    }
  }

  const probes = new Map();
  window.__probe = {
    of(video) {
      if (!probes.has(video)) probes.set(video, new Probe(video));
      return probes.get(video);
    },
  };

  // The join page: click to first composite frame.
  window.__join = { clicked: null, first: null };
  document.addEventListener('submit', () => { window.__join.clicked ??= performance.now(); }, true);
  document.addEventListener('DOMContentLoaded', () => {
    const video = document.querySelector('[data-part="composite"]');
    if (!video?.requestVideoFrameCallback) return;
    video.requestVideoFrameCallback((now) => { window.__join.first = now; });
    window.__probe.of(video);
  });
})();
