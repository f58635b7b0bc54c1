// Evaluated in a page with a source (source.js): two cameras and two microphones, which can be unplugged and refused.
// `a` is what the page has from its start, `b` has the colours and the tone of `__SOURCE__`.
(() => {
  const openA = window.__openSource;
  __SCRIPT_B__
  const openers = { a: openA, b: window.__openSource };
  const there = new Set(['cam-a', 'cam-b', 'mic-a', 'mic-b', 'ear-a']);
  const KINDS = { cam: 'videoinput', mic: 'audioinput', ear: 'audiooutput' };
  const NAMES = { cam: 'Camera', mic: 'Microphone', ear: 'Speaker' };
  const name = (id) => `${NAMES[id.slice(0, 3)]} ${id.slice(4).toUpperCase()}`;
  const inUse = {};
  let refused = false;

  function pick(kind, constraints) {
    const { deviceId } = constraints;
    const wanted = deviceId?.ideal ?? deviceId?.exact ?? deviceId;
    const having = [...there].filter((id) => id.startsWith(kind));
    if (refused) throw new DOMException('refused', 'NotAllowedError');
    if (!having.length) throw new DOMException('none', 'NotFoundError');
    return having.includes(wanted) ? wanted : having[0];
  }

  async function track(kind, constraints) {
    const id = pick(kind, constraints);
    const stream = await openers[id.slice(4)](kind === 'cam' ? { video: true } : { audio: true });
    const [one] = stream.getTracks();
    const settings = one.getSettings.bind(one);
    Object.defineProperty(one, 'label', { value: name(id) });
    one.getSettings = () => ({ ...settings(), deviceId: id });
    // Firefox dispatches no made-up event to a track's listeners, so they are called.
    one.addEventListener = (type, act) => { if (type === 'ended') one.ended = act; };
    inUse[id] = one;
    return one;
  }

  navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
    const tracks = [audio && track('mic', audio), video && track('cam', video)].filter(Boolean);
    return new MediaStream(await Promise.all(tracks));
  };
  navigator.mediaDevices.enumerateDevices = async () =>
    [...there].map((id) => ({ deviceId: id, kind: KINDS[id.slice(0, 3)], label: name(id), groupId: '' }));

  // Out comes the plug: the track ends, and the page hears of both.
  window.__unplug = (id) => {
    there.delete(id);
    inUse[id]?.stop();
    inUse[id]?.ended?.(new Event('ended'));
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
  };
  window.__plug = (id) => {
    there.add(id);
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
  };
  window.__refuse = (yes) => { refused = yes; };
})()
