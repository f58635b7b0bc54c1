// One RTCPeerConnection: one offer, one answer. A lost one is never mended, a new one is made (see signalling.js).

const CAMERA_MAX_BITRATE = 1_200_000;
const SCREEN_MAX_BITRATE = 2_500_000; // text at 15 frames a second
const SCREEN_MAX_FPS = 15;
const TRICKLE_DELAY_MS = 40; // one request for all host candidates instead of one each

/** @typedef {'audio' | 'video' | 'screen' | 'screenAudio'} Line */
/** @typedef {Record<Line, MediaStreamTrack | null>} LocalTracks */
/** @typedef {{scaleResolutionDownBy: number, maxBitrate: number}} CameraEncoding */

/** What the server calls each line (`tracks` of a join). @type {Readonly<Record<Line, string>>} */
const KINDS = Object.freeze({ audio: 'microphone', video: 'camera', screen: 'screen', screenAudio: 'screen-audio' });

/** Fires `stream`, `up`, `lost` (each at most once, `lost` is the last), and `shaky` when its checks go unanswered. */
export class Transport extends EventTarget {
  /**
   * @param {LocalTracks} tracks
   * @param {CameraEncoding} encoding of the camera
   * @param {RTCConfiguration} configuration
   */
  constructor(tracks, encoding = { scaleResolutionDownBy: 1, maxBitrate: CAMERA_MAX_BITRATE }, configuration = {}) {
    super();
    this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', ...configuration });
    this.stream = new MediaStream();
    /** @type {string[]} */
    this.candidates = [];
    /** @type {((candidates: string[]) => void) | null} */
    this.trickle = null;
    this.trickleTimer = 0;
    this.closed = false;
    this.wishes = Promise.resolve(); // one setParameters after the other: each needs what the last one left
    this.#listen();
    this.audio = this.pc.addTransceiver(tracks.audio ?? 'audio', { direction: 'sendrecv' });
    this.video = this.pc.addTransceiver(tracks.video ?? 'video', { direction: 'sendrecv', sendEncodings: [encoding] });
    // The screen's lines stand in the first offer already: sharing begins without another one.
    this.screen = this.pc.addTransceiver(tracks.screen ?? 'video', {
      direction: 'sendonly',
      sendEncodings: [{ maxBitrate: SCREEN_MAX_BITRATE, maxFramerate: SCREEN_MAX_FPS }],
    });
    this.screenAudio = this.pc.addTransceiver(tracks.screenAudio ?? 'audio', { direction: 'sendonly' });
    for (const { receiver } of [this.audio, this.video]) lowDelay(receiver);
  }

  #listen() {
    this.pc.ontrack = ({ track }) => {
      // One stream for both, whatever the answer says: the element plays them in step.
      this.stream.addTrack(track);
      if (this.stream.getTracks().length === 1) this.dispatchEvent(new Event('stream'));
    };
    this.pc.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) this.#queueCandidate(candidate.candidate);
    };
    this.pc.onconnectionstatechange = () => this.#stateChanged();
    this.pc.oniceconnectionstatechange = () => this.#stateChanged();
  }

  #stateChanged() {
    if (this.closed) return;
    const { connectionState: whole, iceConnectionState: ice } = this.pc;
    if (whole === 'connected') this.dispatchEvent(new Event('up'));
    if (whole === 'failed' || whole === 'closed' || ice === 'failed') this.close('lost');
    else if (ice === 'disconnected') this.dispatchEvent(new Event('shaky')); // may yet come back by itself
  }

  /** @param {string} candidate */
  #queueCandidate(candidate) {
    this.candidates.push(candidate);
    if (this.trickle && !this.trickleTimer) this.#scheduleTrickle();
  }

  #scheduleTrickle() {
    this.trickleTimer = window.setTimeout(() => {
      this.trickleTimer = 0;
      if (!this.closed && this.candidates.length) this.trickle?.(this.candidates.splice(0));
    }, TRICKLE_DELAY_MS);
  }

  /** Before the offer. @param {RTCIceServer[]} iceServers */
  use(iceServers) {
    if (iceServers.length && !this.closed) this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers });
  }

  /** The offer, made without waiting for candidates: the server learns them from the checks that come to it. */
  async offer() {
    await this.pc.setLocalDescription(await this.pc.createOffer());
    return /** @type {RTCSessionDescription} */ (this.pc.localDescription).sdp;
  }

  /** mid -> what it carries, once there is an offer. */
  kinds() {
    /** @type {Record<string, string>} */
    const kinds = {};
    for (const [line, kind] of Object.entries(KINDS)) {
      const { mid } = this[/** @type {Line} */ (line)];
      if (mid !== null) kinds[mid] = kind;
    }
    return kinds;
  }

  /**
   * @param {string} sdp
   * @param {(candidates: string[]) => void} trickle takes our candidates from now on
   */
  async answer(sdp, trickle) {
    if (this.closed) return;
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    this.trickle = trickle;
    if (this.candidates.length) this.#scheduleTrickle();
    this.#wish(this.video.sender, (parameters) => ({ ...parameters, degradationPreference: 'balanced' }));
    this.#wish(this.screen.sender, (parameters) => ({ ...parameters, degradationPreference: 'maintain-resolution' }));
  }

  /**
   * @param {Line} line
   * @param {MediaStreamTrack | null} track
   */
  async replace(line, track) {
    if (this.closed) return;
    // Firefox goes on sending something for a line without a track, unless it is switched off.
    if (line === 'screen') this.#wish(this.screen.sender, (parameters) => activated(parameters, track !== null));
    await this[line].sender.replaceTrack(track);
  }

  /** Sends the camera smaller, or whole again. @param {CameraEncoding} encoding */
  scale(encoding) {
    this.#wish(this.video.sender, (parameters) => {
      const [first, ...more] = parameters.encodings;
      return { ...parameters, encodings: [{ ...first, ...encoding }, ...more] };
    });
  }

  /** Bytes that came so far, of media, reports and checks; null where the browser does not tell. */
  async received() {
    let bytes = null;
    for (const entry of (await this.pc.getStats()).values()) {
      if (entry.type === 'candidate-pair' && entry.bytesReceived) bytes = (bytes ?? 0) + entry.bytesReceived;
    }
    return bytes;
  }

  /**
   * @param {RTCRtpSender} sender
   * @param {(parameters: any) => any} change
   */
  #wish(sender, change) {
    this.wishes = this.wishes.then(async () => {
      const parameters = sender.getParameters();
      if (this.closed || !parameters.encodings?.length) return;
      await sender.setParameters(change(parameters));
    }).catch((error) => console.info('the browser does not take this wish', error)); // Firefox knows fewer of them
  }

  /** @param {'lost' | null} [event] fired after closing */
  close(event = null) {
    if (this.closed) return;
    this.closed = true;
    window.clearTimeout(this.trickleTimer);
    this.pc.close();
    if (event) this.dispatchEvent(new Event(event));
  }
}

/** @param {any} parameters @param {boolean} active */
function activated(parameters, active) {
  const encodings = parameters.encodings.map((/** @type {any} */ one) => ({ ...one, active }));
  return { ...parameters, encodings };
}

/** @param {RTCRtpReceiver} receiver */
function lowDelay(receiver) {
  // The browser still waits as long as the network's jitter asks for; this only says that we want no more.
  if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
}
