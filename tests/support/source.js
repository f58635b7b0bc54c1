// Runs in a page before its own scripts: camera and microphone become a test source (see sources.py).
// `__SOURCE__` is replaced by the source's JSON.
(() => {
  const source = __SOURCE__;
  const opened = [];
  const original = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);

  function camera() {
    const canvas = document.createElement('canvas');
    canvas.width = source.width;
    canvas.height = source.height;
    const context = canvas.getContext('2d', { alpha: false });
    const [w, h] = [source.width / 2, source.height / 2];
    let n = 0;
    const draw = () => {
      source.colours.forEach(([r, g, b], i) => {
        context.fillStyle = `rgb(${r},${g},${b})`;
        context.fillRect((i % 2) * w, i < 2 ? 0 : h, w, h);
      });
      const [top, bottom] = source.band.map((part) => Math.round(part * source.height));
      const cell = source.width / source.bits;
      for (let bit = 0; bit < source.bits; bit += 1) {
        context.fillStyle = (n >> bit) & 1 ? '#fff' : '#000';
        context.fillRect(bit * cell, top, cell, bottom - top);
      }
      n += 1;
    };
    draw();
    const stream = canvas.captureStream(); // a frame for each drawing: a rate would beat with the timer's
    const timer = setInterval(draw, 1000 / source.fps);
    const track = stream.getVideoTracks()[0];
    stopsWith(track, () => clearInterval(timer));
    return track;
  }

  // Firefox runs no AudioContext on a machine without a sound card; its own fake microphone gives a tone as well.
  async function fakeMicrophone() {
    const track = (await original({ audio: true })).getAudioTracks()[0];
    opened.push(track);
    return track;
  }

  async function microphone() {
    if (source.fake_microphone) return fakeMicrophone();
    const context = new AudioContext({ sampleRate: 48000 });
    const tone = new OscillatorNode(context, { frequency: source.tone });
    const gain = new GainNode(context, { gain: source.amplitude });
    const out = new MediaStreamAudioDestinationNode(context, { channelCount: 2 });
    tone.connect(gain).connect(out);
    tone.start();
    void context.resume();
    const track = out.stream.getAudioTracks()[0];
    stopsWith(track, () => void context.close());
    return track;
  }

  function stopsWith(track, stop) {
    const original = track.stop.bind(track);
    track.stop = () => {
      original();
      stop();
    };
    opened.push(track);
  }

  async function open({ audio, video }) {
    return new MediaStream([...(audio ? [await microphone()] : []), ...(video ? [camera()] : [])]);
  }

  window.__openSource = open;
  if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = open;
  const query = navigator.permissions?.query.bind(navigator.permissions);
  if (query) {
    navigator.permissions.query = async (wanted) =>
      ['camera', 'microphone'].includes(wanted.name) ? { state: 'granted' } : query(wanted);
  }
})();
