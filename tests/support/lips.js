// Runs in a page before its own scripts: camera and microphone become one source that flashes and beeps at once.
// Both happen in one call, on the camera's frame: what the browser's capture makes of it is the same for whoever gets it.
(() => {
  const [width, height, fps] = [320, 180, 30];
  const [least, more, lasts] = [24, 13, 6]; // frames from one flash to the next, and of a flash
  const [dark, bright] = [16, 235];

  async function open() {
    const context = new AudioContext({ sampleRate: 48000 });
    const tone = new OscillatorNode(context, { frequency: 1000 });
    const gain = new GainNode(context, { gain: 0 });
    const out = new MediaStreamAudioDestinationNode(context, { channelCount: 2 });
    tone.connect(gain).connect(out);
    tone.start();
    await context.resume();

    const track = new MediaStreamTrackGenerator({ kind: 'video' });
    const writer = track.writable.getWriter();
    const colorSpace = { matrix: 'smpte170m', primaries: 'smpte170m', transfer: 'smpte170m', fullRange: false };
    const data = new Uint8Array((width * height * 3) / 2).fill(128);
    let [n, on, off] = [0, least, -1];
    const show = (luma, level) => {
      gain.gain.setValueAtTime(level, context.currentTime);
      data.fill(luma, 0, width * height);
    };
    show(dark, 0);
    setInterval(() => {
      n += 1;
      if (n === on) {
        show(bright, 0.5);
        off = n + lasts;
        on = n + least + Math.floor(Math.random() * more);
      } else if (n === off) show(dark, 0);
      const timestamp = performance.now() * 1000;
      writer.write(new VideoFrame(data, { format: 'I420', codedWidth: width, codedHeight: height, timestamp, colorSpace }));
    }, 1000 / fps);
    return new MediaStream([...out.stream.getAudioTracks(), track]);
  }

  let opened;
  const once = async ({ audio, video }) => {
    opened ??= open();
    const tracks = (await opened).getTracks();
    return new MediaStream(tracks.filter(({ kind }) => (kind === 'audio' ? audio : video)));
  };
  window.__openSource = once;
  if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = once;
  const query = navigator.permissions?.query.bind(navigator.permissions);
  if (query) {
    navigator.permissions.query = async (wanted) =>
      ['camera', 'microphone'].includes(wanted.name) ? { state: 'granted' } : query(wanted);
  }
})();
