// One RTCPeerConnection: one offer, one answer. A lost one is never mended, a new one is made (see signalling.js).

const CAMERA_MAX_BITRATE = 1_200_000;
const TRICKLE_DELAY_MS = 40; // one request for all host candidates instead of one each

/** @typedef {{audio: MediaStreamTrack | null, video: MediaStreamTrack | null}} LocalTracks */

/** Fires `stream`, `up`, `lost` (each at most once, `lost` is the last). */
export class Transport extends EventTarget {
  /**
   * @param {LocalTracks} tracks
   * @param {RTCConfiguration} configuration
   */
  constructor(tracks, configuration = {}) {
    super();
    this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', ...configuration });
    this.stream = new MediaStream();
    /** @type {string[]} */
    this.candidates = [];
    /** @type {((candidates: string[]) => void) | null} */
    this.trickle = null;
    this.trickleTimer = 0;
    this.closed = false;
    this.#listen();
    this.audio = this.pc.addTransceiver(tracks.audio ?? 'audio', { direction: 'sendrecv' });
    this.video = this.pc.addTransceiver(tracks.video ?? 'video', {
      direction: 'sendrecv',
      sendEncodings: [{ maxBitrate: CAMERA_MAX_BITRATE }],
    });
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
    if (whole === 'failed' || whole === 'closed' || ice === 'failed' || ice === 'disconnected') this.close('lost');
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

  /** The offer, made without waiting for candidates: the server learns them from the checks that come to it. */
  async offer() {
    await this.pc.setLocalDescription(await this.pc.createOffer());
    return /** @type {RTCSessionDescription} */ (this.pc.localDescription).sdp;
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
    await preferBalance(this.video.sender);
  }

  /**
   * @param {'audio' | 'video'} kind
   * @param {MediaStreamTrack | null} track
   */
  async replace(kind, track) {
    if (!this.closed) await this[kind].sender.replaceTrack(track);
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

/** @param {RTCRtpReceiver} receiver */
function lowDelay(receiver) {
  // The browser still waits as long as the network's jitter asks for; this only says that we want no more.
  if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
}

/** @param {RTCRtpSender} sender */
async function preferBalance(sender) {
  const parameters = sender.getParameters();
  if (!parameters.encodings?.length) return;
  /** @type {any} */ (parameters).degradationPreference = 'balanced';
  try {
    await sender.setParameters(parameters);
  } catch (error) {
    console.warn('degradationPreference was not taken', error); // Firefox does not know it; it is only a wish
  }
}
