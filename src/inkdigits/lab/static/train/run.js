/* One run as it goes: where it is, how well it reads, and what can be done with it. */

import { choice } from "./builder.js";
import { InkCurves } from "./curves.js";
import { button, explained, field, made, put } from "../dom.js";
import { complain } from "../elements.js";
import { isLive } from "./follow.js";
import { InkChanges, InkHints, InkKnobs } from "./knobs.js";
import { InkLayerFigures, InkWeights, InkWrong } from "./pictures.js";
import { set, setText } from "./update.js";
import { words } from "../words.js";

/** @typedef {import("../types").RunSummary} RunSummary */
/** @typedef {import("./follow.js").Story} Story */

const say = words.train;
const PACES = [0, 20, 5, 2, 1]; // steps a second; 0 is as fast as it goes

/**
 * What a run is doing, in a sentence.
 *
 * @param {Story} story
 * @param {RunSummary} summary
 */
export function stateOf(story, summary) {
  const { now } = story;
  const epoch = now?.epoch ?? summary.epoch;
  const running = summary.state === "running" ? (now?.left ?? null) : null;
  return say.state(summary.state, epoch, now?.epochs ?? summary.epochs, running);
}

/** A run's panel; `command` is told what the run is to do, the other functions what is wanted. */
export class InkRun extends HTMLElement {
  /** @type {(body: Record<string, unknown>) => void} */
  command = () => {};
  /** @type {(name: string) => void} */
  rename = () => {};
  /** @type {() => void} */
  use = () => {};
  /** @type {(fix: import("../types").Fix) => void} */
  mend = () => {};

  #name = explained(
    made("input", { type: "text", className: "name", "aria-label": say.runName, maxLength: 80 }),
    say.runNameHelp,
  );
  #state = made("p", { className: "state" });
  #progress = made("progress", { "aria-label": say.progress, max: 1, value: 0 });
  #complaint = made("div");
  #pause = button(say.pause, () => this.command({ do: "pause" }), say.pauseHelp);
  #go = button(say.go, () => this.command({ do: "go" }), say.goHelp);
  #more = button(say.oneMore, () => this.command({ do: "more", epochs: 1 }), say.oneMoreHelp);
  #stop = button(say.stop, () => this.command({ do: "stop" }), say.stopHelp);
  #use = button(say.use, () => this.use(), say.useHelp);
  #pace = choice(PACES.map(String), "0", (steps) => say.paces(Number(steps)));
  #paceField = field(say.pace, this.#pace, say.paceHelp);
  #numbers = [say.epoch, say.trainingLoss, say.trainingAccuracy, say.validationAccuracy, say.perSecond]
    .map((name) => ({ name, value: made("dd", {}, say.none) }));
  #curves = new InkCurves();
  #hints = new InkHints();
  #knobs = new InkKnobs();
  #changes = new InkChanges();
  #weights = new InkWeights();
  #layers = new InkLayerFigures();
  #wrong = new InkWrong();
  #lesson = made("div");
  #lessonShown = "";

  /** @param {string[]} augmentations */
  setup(augmentations) {
    this.#knobs.setup(augmentations);
    this.#knobs.change = (change) => this.command({ do: "change", ...change });
    this.#hints.mend = (fix) => this.mend(fix);
    this.#name.addEventListener("change", () => {
      const name = this.#name.value.trim();
      if (name) this.rename(name);
    });
    this.#name.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#name.dispatchEvent(new Event("change"));
    });
    this.#pace.addEventListener("change", () =>
      this.command({ do: "pace", steps_per_second: Number(this.#pace.value) || null }),
    );
    const buttons = [this.#pause, this.#go, this.#more, this.#stop, this.#use];
    put(
      this,
      made("h2", { className: "aloud" }, say.run),
      made("div", { className: "head" }, this.#name, this.#state),
      this.#progress,
      made("div", { className: "tools" }, buttons, this.#paceField),
      this.#complaint,
      made(
        "dl",
        { className: "numbers" },
        this.#numbers.map(({ name, value }) => made("div", {}, made("dt", {}, name), value)),
      ),
      this.#lesson,
      this.#curves,
      this.#hints,
      made(
        "div",
        { className: "live" },
        made("div", {}, this.#knobs, this.#changes, this.#layers),
        made("div", {}, this.#weights, this.#wrong),
      ),
    );
  }

  /** Another run is going to be shown. */
  begin() {
    this.#knobs.taken();
    complain(this.#complaint, null);
  }

  /** @param {unknown} error */
  complain(error) {
    complain(this.#complaint, error);
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
    const live = isLive(summary.state);
    if (this.#name !== document.activeElement) set(this.#name, "value", summary.name);
    const said = summary.message && summary.state !== "running" ? ` ${summary.message}` : "";
    setText(this.#state, stateOf(story, summary) + said);
    const point = story.points.at(-1);
    const step = Math.max(now?.step ?? 0, summary.step);
    set(this.#progress, "max", Math.max(1, now?.steps ?? summary.steps));
    set(this.#progress, "value", summary.state === "done" ? this.#progress.max : step);
    this.#buttons(summary);
    this.#paceField.hidden = !live;
    if (this.#pace !== document.activeElement) {
      set(this.#pace, "value", String(PACES.includes(now?.pace ?? 0) ? (now?.pace ?? 0) : 0));
    }
    const accuracy = story.accuracy ?? summary.accuracy;
    const loss = point?.loss ?? now?.loss ?? summary.loss;
    const epochs = now?.epochs ?? summary.epochs;
    const values = [
      say.epochOf(now?.epoch ?? summary.epoch, epochs),
      loss === null || loss === undefined ? say.none : say.lossValue(loss),
      share(point?.accuracy),
      share(accuracy),
      now?.per_second && live ? words.count(Math.round(now.per_second)) : say.none,
    ];
    this.#numbers.forEach(({ value }, n) => setText(value, values[n]));
    this.#drawLesson(summary);
    this.#curves.draw(story, epochs, overlays);
    this.#hints.show(now?.hints ?? []);
    this.#knobs.hidden = !live;
    this.#knobs.show(now, steerable, summary.state === "paused");
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
    const { activeElement } = document;
    /** @type {[HTMLButtonElement, boolean][]} */
    const wanted = [
      [this.#pause, state === "running"],
      [this.#go, ["paused", "interrupted"].includes(state)],
      [this.#more, ["running", "paused", "done", "stopped"].includes(state)],
      [this.#stop, ["running", "paused"].includes(state)],
      [this.#use, model && !isLive(state)],
    ];
    for (const [element, shown] of wanted) element.hidden = !shown;
    // What had the focus may be gone: then whatever took its place has it.
    if (activeElement instanceof HTMLButtonElement && activeElement.hidden) {
      const place = wanted.findIndex(([element]) => element === activeElement);
      if (place < 0) return;
      const next = place < 2 ? wanted[1 - place][0] : this.#use;
      const [other] = wanted.find(([, shown]) => shown) ?? [this.#name];
      (next.hidden ? other : next).focus();
    }
  }

  /**
   * What a lesson has brought.
   *
   * @param {RunSummary} summary
   */
  #drawLesson({ before, after }) {
    const key = JSON.stringify([before, after]);
    if (key === this.#lessonShown) return;
    this.#lessonShown = key;
    if (!before || !after) {
      put(this.#lesson);
      return;
    }
    const rows = /** @type {["mnist" | "own", string][]} */ ([
      ["mnist", say.lessonMnist],
      ["own", say.lessonOwn],
    ]).filter(([data]) => before[data] && after[data]);
    const cell = (/** @type {import("../types").Score | null} */ score) =>
      made("td", {}, share(score?.accuracy));
    put(
      this.#lesson,
      made(
        "table",
        { className: "figures lesson" },
        made("caption", {}, say.lessonTable),
        made(
          "thead",
          {},
          made(
            "tr",
            {},
            made("td"),
            [say.before, say.after].map((name) => made("th", { scope: "col" }, name)),
          ),
        ),
        made(
          "tbody",
          {},
          rows.map(([data, name]) =>
            made("tr", {}, made("th", { scope: "row" }, name), cell(before[data]), cell(after[data])),
          ),
        ),
      ),
    );
  }
}

/** @param {number | null | undefined} value */
const share = (value) => (value === null || value === undefined ? say.none : words.share(value));

customElements.define("ink-run", InkRun);
