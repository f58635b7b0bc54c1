// Runs in a page before its own scripts: camera and microphone become a test source (see sources.py).
// `__SOURCE__` is replaced by the source's JSON.
(() => {
  const source = __SOURCE__;
  const opened = new Set(); // held until they are stopped: nobody else holds a track that is only sent
  const original = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);

  // Chromium sends what a canvas gives in full range, unlike a camera, so it gets planes as a camera makes them.
  const camera = () => ('MediaStreamTrackGenerator' in window ? generated() : drawn());

  function yuv([r, g, b]) {
    const y = (0.299 * r + 0.587 * g + 0.114 * b) / 255;
    return [16 + 219 * y, 128 + (224 * (b / 255 - y)) / 1.772, 128 + (224 * (r / 255 - y)) / 1.402].map(Math.round);
  }

  function generated() {
    const { width, height, bits } = source;
    const data = new Uint8Array((width * height * 3) / 2);
    const planes = [[0, width, height], [width * height, width / 2, height / 2], [(width * height * 5) / 4, width / 2, height / 2]];
    source.colours.map(yuv).forEach((values, quadrant) => {
      planes.forEach(([offset, w, h], plane) => {
        const [left, top] = [(quadrant % 2) * (w / 2), quadrant < 2 ? 0 : h / 2];
        for (let row = top; row < top + h / 2; row += 1) {
          data.fill(values[plane], offset + row * w + left, offset + row * w + left + w / 2);
        }
      });
    });
    const [top, bottom] = source.band.map((part) => Math.round((part * height) / 2) * 2);
    for (const [offset, w] of planes.slice(1)) data.fill(128, offset + (top / 2) * w, offset + (bottom / 2) * w);
    const move = source.moving ? mover(data, width, height) : () => {};
    const track = new MediaStreamTrackGenerator({ kind: 'video' });
    const writer = track.writable.getWriter();
    const colorSpace = { matrix: 'smpte170m', primaries: 'smpte170m', transfer: 'smpte170m', fullRange: false };
    let n = 0;
    const write = () => {
      move(n);
      for (let bit = 0; bit < bits; bit += 1) {
        const [left, right] = [bit, bit + 1].map((cell) => Math.floor((cell * width) / bits));
        for (let row = top; row < bottom; row += 1) {
          data.fill((n >> bit) & 1 ? 235 : 16, row * width + left, row * width + right);
        }
      }
      n += 1;
      const timestamp = performance.now() * 1000;
      writer.write(new VideoFrame(data, { format: 'I420', codedWidth: width, codedHeight: height, timestamp, colorSpace }));
    };
    const timer = setInterval(write, 1000 / source.fps);
    stopsWith(track, () => clearInterval(timer));
    return track;
  }

  // Luma: blocks that drift by 3 pixels a frame, under noise that is another one in each of eight frames.
  function mover(data, width, height) {
    const span = width * 2;
    const textures = Array.from({ length: 8 }, () => new Uint8Array(span * height));
    let seed = 1 + source.tone;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    const blocks = Array.from({ length: (width / 16) * Math.ceil(height / 16) }, () => 60 + 120 * random());
    for (const texture of textures) {
      for (let at = 0; at < texture.length; at += 1) {
        const [x, y] = [at % span % width, Math.floor(at / span)];
        texture[at] = blocks[(y >> 4) * (width / 16) + (x >> 4)] + 16 * random();
      }
    }
    return (n) => {
      const [texture, left] = [textures[n % 8], (n * 3) % width];
      for (let row = 0; row < height; row += 1) {
        data.set(texture.subarray(row * span + left, row * span + left + width), row * width);
      }
    };
  }

  function drawn() {
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
    opened.add(track);
    return track;
  }

  async function microphone() {
    if (source.fake_microphone) return fakeMicrophone();
    const context = new AudioContext({ sampleRate: 48000 });
    const tone = new OscillatorNode(context, { frequency: source.tone });
    const gain = new GainNode(context, { gain: source.amplitude });
    const out = new MediaStreamAudioDestinationNode(context, { channelCount: 2 });
    tone.connect(gain).connect(out);
    if (source.moving) {
      gain.gain.value = source.amplitude / 2;
      const syllables = new OscillatorNode(context, { frequency: 3.5 });
      syllables.connect(new GainNode(context, { gain: source.amplitude / 2 })).connect(gain.gain);
      syllables.start();
    }
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
      opened.delete(track);
    };
    opened.add(track);
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
