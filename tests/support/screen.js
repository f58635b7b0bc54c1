// Evaluated in a page: sharing the screen gives `tracks` made here, four flat colours and, where there is sound, a tone.
// `__SOURCE__` is replaced by the source's JSON.
(() => {
  const source = __SOURCE__;
  const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
  const context = canvas.getContext('2d', { alpha: false });
  let timer = 0;

  function draw() {
    source.colours.forEach(([r, g, b], i) => {
      context.fillStyle = `rgb(${r},${g},${b})`;
      context.fillRect((i % 2) * 640, i < 2 ? 0 : 360, 640, 360);
    });
  }

  async function tone() {
    const audio = new AudioContext({ sampleRate: 48000 });
    const oscillator = new OscillatorNode(audio, { frequency: source.tone });
    const out = new MediaStreamAudioDestinationNode(audio);
    oscillator.connect(new GainNode(audio, { gain: source.amplitude })).connect(out);
    oscillator.start();
    await audio.resume();
    return out.stream.getAudioTracks();
  }

  window.__shared = [];
  navigator.mediaDevices.getDisplayMedia = async () => {
    draw();
    const [video] = canvas.captureStream().getVideoTracks();
    video.addEventListener = (type, act) => { if (type === 'ended') window.__ended = act; };
    clearInterval(timer);
    timer = setInterval(draw, 66);
    window.__shared = [video, ...(source.fake_microphone ? [] : await tone())];
    return new MediaStream(window.__shared);
  };
  // What the browser's own bar does: the tracks end, and the page hears of it. Firefox dispatches no made-up event to a
  // track's listeners, so they are called.
  window.__endSharing = () => {
    for (const track of window.__shared) track.stop();
    window.__ended(new Event('ended'));
  };
})()
