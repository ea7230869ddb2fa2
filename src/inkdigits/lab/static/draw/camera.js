/* The camera: what it sees, in a dialog, until a picture is taken. Of several cameras the browser
   itself lets its user choose one. */

import { button, made } from "../dom.js";
import { complain } from "../elements.js";
import { draw as say } from "../words.js";

const QUALITY = 0.92; // of the JPEG that is taken

/** @type {Record<string, string>} */
const REASONS = {
  NotAllowedError: say.cameraRefused,
  SecurityError: say.cameraRefused,
  NotReadableError: say.cameraBusy,
  AbortError: say.cameraBusy,
};

/** `open` switches the camera on; `took` is called with the picture that is taken. */
export class InkCamera extends HTMLElement {
  #video = made("video", { autoplay: true, muted: true, playsInline: true });
  #trouble = made("div");
  #take = button(say.take, () => this.#picture(), {
    className: "primary",
  });
  #dialog = made("dialog.camera", { "aria-label": say.take[0] });
  /** @type {MediaStream | null} */
  #stream = null;
  #closed = 0; // how often: a stream may come too late

  /** @param {(picture: Blob) => void} took */
  constructor(took) {
    super();
    this.took = took;
    this.#video.addEventListener("playing", () => (this.#take.disabled = false));
    this.#dialog.addEventListener("close", () => this.#stop());
    const close = button(say.close, () => this.#dialog.close());
    this.#dialog.append(
      made("p", say.take[1]),
      this.#video,
      this.#trouble,
      made("div.tools", this.#take, close),
    );
    this.append(this.#dialog);
  }

  async open() {
    const closed = this.#closed;
    this.#dialog.showModal();
    this.#take.disabled = true;
    this.#video.hidden = false;
    complain(this.#trouble, null);
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 960 } },
      });
      if (closed === this.#closed) this.#stream = this.#video.srcObject = stream;
      else end(stream);
    } catch (error) {
      if (closed !== this.#closed) return;
      this.#video.hidden = true;
      complain(this.#trouble, REASONS[/** @type {Error} */ (error).name] ?? say.cameraNone);
    }
  }

  #stop() {
    this.#closed++;
    if (this.#stream) end(this.#stream);
    this.#stream = this.#video.srcObject = null;
  }

  #picture() {
    const canvas = made("canvas", {
      width: this.#video.videoWidth,
      height: this.#video.videoHeight,
    });
    canvas.getContext("2d")?.drawImage(this.#video, 0, 0);
    this.#dialog.close();
    canvas.toBlob((picture) => picture && this.took(picture), "image/jpeg", QUALITY);
  }
}

/** @param {MediaStream} stream */
function end(stream) {
  for (const track of stream.getTracks()) track.stop();
}

customElements.define("ink-camera", InkCamera);
