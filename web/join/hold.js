// The last picture of the composite, over it, while there is no new one: nobody should look into a black hole.

const PATIENCE_MS = 6_000; // a connection that is up and shows nothing: then the truth is to be seen

/** Fires `released` once a new picture is there. */
export class LastPicture extends EventTarget {
  /** @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas over it */
  constructor(video, canvas) {
    super();
    this.video = video;
    this.canvas = canvas;
    this.timer = 0;
  }

  get held() {
    return !this.canvas.hidden;
  }

  /** Keeps what is shown now, if there is something; what is kept already stays. */
  keep() {
    const { video, canvas } = this;
    window.clearTimeout(this.timer);
    if (this.held || !video.videoWidth || video.readyState < video.HAVE_CURRENT_DATA) return;
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext('2d', { alpha: false })?.drawImage(video, 0, 0);
    canvas.hidden = false;
  }

  /** The video got another stream: its first picture ends the wait. */
  await() {
    if (!this.held) return;
    const { video } = this;
    const { srcObject } = video;
    const shown = () => video.srcObject === srcObject && this.release();
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(shown);
    else /** @type {HTMLVideoElement} */ (video).addEventListener('timeupdate', shown, { once: true });
  }

  /** The connection is up: a picture must come soon. */
  expect() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.release(), PATIENCE_MS);
  }

  release() {
    window.clearTimeout(this.timer);
    if (!this.held) return;
    const { canvas } = this;
    canvas.hidden = true;
    canvas.width = canvas.height = 0; // gives its memory back
    this.dispatchEvent(new Event('released'));
  }
}
