// The meeting on the whole screen, and its picture in a small window of its own.

/** @typedef {import('./stage.js').Stage} Stage */

export class Windows {
  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
    const { full, picture, composite } = stage.parts;
    full.hidden = !document.fullscreenEnabled;
    picture.hidden = !document.pictureInPictureEnabled; // some browsers have a button of their own on the video instead
    full.addEventListener('click', () => void this.toggleFullScreen());
    picture.addEventListener('click', () => void this.#togglePicture());
    document.addEventListener('fullscreenchange', () => this.#draw());
    for (const type of ['enterpictureinpicture', 'leavepictureinpicture']) composite.addEventListener(type, () => this.#draw());
  }

  async toggleFullScreen() {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await this.stage.main.requestFullscreen();
    } catch (error) {
      this.stage.toast('The browser gives no full screen now.');
      console.info('no full screen', error);
    }
  }

  async #togglePicture() {
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await this.stage.parts.composite.requestPictureInPicture();
    } catch (error) {
      this.stage.toast('The browser gives no small window now.');
      console.info('no picture in picture', error);
    }
  }

  #draw() {
    const { full, picture } = this.stage.parts;
    full.textContent = document.fullscreenElement ? 'Leave full screen' : 'Full screen';
    picture.textContent = document.pictureInPictureElement ? 'Close the small window' : 'Picture in picture';
  }

  /** Back to the page. */
  reset() {
    if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
    if (document.pictureInPictureElement) void document.exitPictureInPicture().catch(() => undefined);
  }
}
