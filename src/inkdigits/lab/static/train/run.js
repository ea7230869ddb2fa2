/* One run as it goes: where it is, how well it reads, and what can be done with it. */

import { InkCurves } from "./curves.js";
import { button, explained, field, made } from "../dom.js";
import { isLive } from "./follow.js";
import { choice } from "./inputs.js";
import { InkChanges, InkHints, InkKnobs } from "./knobs.js";
import { InkLayerFigures, InkWeights, InkWrong } from "./pictures.js";
import { set, setText } from "../update.js";
import { train as say } from "../words.js";


const PACES = ["0", "20", "5", "2", "1"]; // steps a second; 0 is as fast as it goes

/**
 * What a run is doing, in a sentence.
 *
 * @param {Story} story
 * @param {RunSummary} summary
 */
export function stateOf({ now }, summary) {
  return say.state({ ...summary, ...now, state: summary.state }, now?.left ?? null);
}

/** A run's panel; `command` is told what the run is to do, the other functions what is wanted. */
export class InkRun extends HTMLElement {
  /** @type {(body: Record<string, unknown>) => void} */
  command = () => {};
  /** @type {(name: string) => void} */
  rename = () => {};
  use = () => {};

  complaint = made("div");
  hints = new InkHints();
  #name = explained(
    made("input", { type: "text", className: "name", "aria-label": say.runName, maxLength: 80 }),
    say.runNameHelp,
  );
  #state = made("p.state");
  #progress = made("progress", { "aria-label": say.progress, max: 1, value: 0 });
  #pause = button(say.pause, () => this.command({ do: "pause" }));
  #go = button(say.go, () => this.command({ do: "go" }));
  #more = button(say.oneMore, () => this.command({ do: "more", epochs: 1 }));
  #stop = button(say.stop, () => this.command({ do: "stop" }));
  #use = button(say.use, () => this.use());
  #pace = choice(
    PACES,
    "0",
    (steps) => this.command({ do: "pace", steps_per_second: Number(steps) || null }),
    (steps) => say.paces(Number(steps)),
  );
  #paceField = field(say.pace, this.#pace);
  #numbers = say.numbers.map(() => made("dd"));
  #taught = made("p");
  #curves = new InkCurves();
  #knobs;
  #changes = new InkChanges();
  #weights = new InkWeights();
  #layers = new InkLayerFigures();
  #wrong = new InkWrong();

  /** @param {string[]} augmentations */
  constructor(augmentations) {
    super();
    this.#knobs = new InkKnobs(augmentations);
    this.#knobs.change = (change) => this.command({ do: "change", ...change });
    this.#name.onchange = () => this.rename(this.#name.value.trim());
    const buttons = [this.#pause, this.#go, this.#more, this.#stop, this.#use];
    const numbers = this.#numbers.map((value, n) =>
      made("div", made("dt", say.numbers[n]), value),
    );
    this.append(
      made("h2.aloud", say.run),
      made("div.head", this.#name, this.#state),
      this.#progress,
      made("div.tools", buttons, this.#paceField),
      this.complaint,
      made("dl.numbers", numbers),
      this.#taught,
      this.#curves,
      this.hints,
      made(
        "div.live",
        made("div", this.#knobs, this.#changes, this.#layers),
        made("div", this.#weights, this.#wrong),
      ),
    );
    this.hidden = true;
  }

  /** The knobs show again what the run says. */
  taken() {
    this.#knobs.taken();
  }

  /**
   * @param {Story} story
   * @param {RunSummary} summary
   * @param {{ name: string, story: Story }[]} overlays
   * @param {boolean} steerable
   */
  draw(story, summary, overlays, steerable) {
    const { now } = story;
    const { state } = summary;
    const live = isLive(state);
    const { epoch, epochs, steps, step, loss } = { ...summary, ...now };
    const point = story.points.at(-1);
    if (this.#name !== document.activeElement) set(this.#name, "value", summary.name);
    const message = state === "running" ? null : summary.message;
    setText(this.#state, `${stateOf(story, summary)} ${message ?? ""}`);
    set(this.#progress, "max", Math.max(1, steps));
    set(this.#progress, "value", state === "done" ? this.#progress.max : step);
    this.#buttons(summary);
    this.#paceField.hidden = !live;
    const pace = String(now?.pace ?? 0);
    if (this.#pace !== document.activeElement) {
      set(this.#pace, "value", PACES.includes(pace) ? pace : "0");
    }
    const values = [
      say.epochOf(epoch, epochs),
      say.lossOf(point?.loss ?? loss),
      say.accuracyOf(point?.accuracy),
      say.accuracyOf(story.accuracy ?? summary.accuracy),
      say.perSecond(live ? now?.per_second : null),
    ];
    values.forEach((value, n) => setText(this.#numbers[n], value));
    this.#taught.hidden = !summary.after;
    setText(this.#taught, say.taught(summary));
    this.#curves.draw(story, epochs, overlays);
    this.hints.show(now?.hints ?? []);
    this.#knobs.hidden = !live;
    this.#knobs.show(now, steerable, state === "paused");
    this.#changes.show(story.changes);
    this.#weights.show(now?.weights ?? null);
    this.#layers.show(now?.layers ?? []);
    this.#wrong.show(now?.wrong ?? [], live);
  }

  /**
   * What can be done with a run in this state.
   *
   * @param {RunSummary} summary
   */
  #buttons({ state, has_model: model }) {
    const focused = document.activeElement;
    this.#pause.hidden = state !== "running";
    this.#go.hidden = !["paused", "interrupted"].includes(state);
    this.#more.hidden = !["running", "paused", "done", "stopped"].includes(state);
    this.#stop.hidden = !["running", "paused"].includes(state);
    this.#use.hidden = !model || isLive(state);
    if (!(focused instanceof HTMLButtonElement && focused.hidden && this.contains(focused))) return;
    // What had the focus is gone: what took its place has it.
    const heirs = [focused === this.#pause ? this.#go : this.#pause, this.#use, this.#name];
    heirs.find((heir) => !heir.hidden)?.focus();
  }
}

customElements.define("ink-run", InkRun);
