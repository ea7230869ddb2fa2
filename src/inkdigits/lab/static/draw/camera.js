/* The camera: what it sees, in a dialog, until a picture is taken. */

import { button, explained, made, put } from "../dom.js";
import { complain } from "../elements.js";
import { words } from "../words.js";

const QUALITY = 0.92; // of the JPEG that is taken

/** @param {unknown} error */
function reason(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return words.draw.cameraRefused;
  if (name === "NotReadableError" || name === "AbortError") return words.draw.cameraBusy;
  return words.draw.cameraNone;
}

/** Calls `took` with each picture that is taken; `open` switches the camera on. */
export class InkCamera extends HTMLElement {
  took = (/** @type {Blob} */ _picture) => {};

  #video = made("video", { autoplay: true, muted: true, playsInline: true });
  #trouble = made("div");
  #which = made("select", { "aria-label": words.draw.cameraWhich, hidden: true });
  #take = button(words.draw.take, () => this.#picture(), words.draw.takeHelp, {
    className: "primary",
  });
  #dialog = made("dialog", { className: "camera" });
  /** @type {MediaStream | null} */
  #stream = null;
  #wanted = 0; // counts what was asked for: of two requests only the latest counts

  connectedCallback() {
    if (this.firstChild) return;
    const title = made("h2", { id: "camera-title" }, words.draw.cameraTitle);
    this.#video.setAttribute("aria-label", words.draw.cameraVideo);
    this.#video.addEventListener("playing", () => (this.#take.disabled = false));
    explained(this.#which, words.draw.cameraWhichHelp);
    this.#which.addEventListener("change", () => this.#start(this.#which.value));
    this.#dialog.setAttribute("aria-labelledby", title.id);
    this.#dialog.addEventListener("close", () => this.#stop());
    this.#dialog.append(
      title,
      made("p", { className: "lead" }, words.draw.cameraLead),
      this.#video,
      this.#trouble,
      made(
        "div",
        { className: "tools" },
        this.#take,
        this.#which,
        button(words.draw.close, () => this.#dialog.close(), words.draw.closeHelp),
      ),
    );
    this.append(this.#dialog);
  }

  disconnectedCallback() {
    this.#stop();
  }

  open() {
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#start("");
  }

  /** @param {string} device its id; empty for the one at the back, where there are two */
  async #start(device) {
    this.#stop();
    const wanted = this.#wanted;
    this.#take.disabled = true;
    this.#video.hidden = false;
    complain(this.#trouble, null);
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: {
          ...(device ? { deviceId: { exact: device } } : { facingMode: { ideal: "environment" } }),
          width: { ideal: 1280 },
          height: { ideal: 960 },
        },
      });
      if (wanted !== this.#wanted || !this.#dialog.open) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      this.#stream = stream;
      this.#video.srcObject = stream;
      await this.#list(stream);
    } catch (error) {
      if (wanted !== this.#wanted) return;
      this.#video.hidden = true;
      complain(this.#trouble, reason(error));
    }
  }

  /**
   * Offers the other cameras, whose names are told only once one of them is on.
   *
   * @param {MediaStream} stream
   */
  async #list(stream) {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter(({ kind }) => kind === "videoinput");
    put(
      this.#which,
      cameras.map(({ deviceId, label }, n) =>
        made("option", { value: deviceId }, label || words.draw.cameraNth(n + 1)),
      ),
    );
    this.#which.value = stream.getVideoTracks()[0]?.getSettings().deviceId ?? "";
    this.#which.hidden = cameras.length < 2;
  }

  #stop() {
    this.#wanted++;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
  }

  #picture() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (!width || !height) return;
    const canvas = made("canvas", { width, height });
    canvas.getContext("2d")?.drawImage(this.#video, 0, 0);
    canvas.toBlob(
      (picture) => {
        this.#dialog.close();
        if (picture) this.took(picture);
      },
      "image/jpeg",
      QUALITY,
    );
  }
}

customElements.define("ink-camera", InkCamera);
