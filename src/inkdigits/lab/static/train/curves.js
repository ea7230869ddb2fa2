/* A run's accuracy and loss as curves, others laid over them, and the table behind. */

import { InkChart, ofAccuracy } from "./chart.js";
import { explained, made, put } from "../dom.js";
import { byEpoch } from "./follow.js";
import { words } from "../words.js";

/** @typedef {import("./follow.js").Story} Story */
/** @typedef {import("./chart.js").Curve} Curve */
/** @typedef {{ name: string, story: Story }} Named */
/** @typedef {"loss" | "accuracy" | "validation_loss" | "validation_accuracy"} Figure */

const say = words.train;
const DASHES = ["7 4", "2 4", "10 3 2 3", "4 2"];
const BEYOND = 1e6; // losses of what has burst: there is no drawing them
const LONGEST = 14; // letters of a name in a chart

/** @param {string} name */
const short = (name) => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name);

/**
 * A figure of a run over its epochs.
 *
 * @param {Story} story
 * @param {Figure} figure
 * @returns {[number, number][]}
 */
function points(story, figure) {
  /** @type {[number, number][]} */
  const found = [];
  for (const point of story.points) {
    const value = point[figure];
    if (typeof value === "number" && value < BEYOND) found.push([point.epoch, value]);
  }
  return found;
}

/**
 * The accuracy of all validation digits after each epoch.
 *
 * @param {Story} story
 */
const dots = (story) =>
  story.epochs.flatMap(({ epoch, accuracy }) =>
    typeof accuracy === "number" ? [/** @type {[number, number]} */ ([epoch, accuracy])] : [],
  );

/**
 * Where a run stands that has just finished an epoch: at that epoch's dot.
 *
 * @param {Story} story
 */
function endOf(story) {
  const step = story.points.at(-1)?.step ?? 0;
  return story.epochs.at(-1)?.step === step ? (dots(story).at(-1) ?? null) : null;
}

/** Two charts of one run or more, side by side where there is room. */
export class InkCurves extends HTMLElement {
  #accuracy = new InkChart();
  #loss = new InkChart();
  #close = made("input", { type: "checkbox" });
  #head = made("tr");
  #body = made("tbody");
  #details = made("details");
  /** @type {[Story, number, Named[]] | null} */
  #latest = null;
  #shown = "";

  connectedCallback() {
    if (this.#head.parentNode) return;
    this.#accuracy.setup(ofAccuracy(say.accuracyChart));
    this.#loss.setup({
      title: say.lossChart,
      x: say.axis,
      top: null,
      format: (y, step) => (step === undefined ? say.lossValue(y) : say.tick(y)),
    });
    this.#close.addEventListener("change", () => this.#again());
    const table = made(
      "table",
      { className: "figures" },
      made("caption", { className: "aloud" }, say.table),
      made("thead", {}, this.#head),
      this.#body,
    );
    put(this.#details, made("summary", {}, say.tableSummary), table);
    this.#details.addEventListener("toggle", () => this.#again());
    const close = made("label", { className: "check" }, explained(this.#close, say.closeHelp));
    close.append(` ${say.close}`);
    this.append(
      made("div", { className: "charts" }, this.#accuracy, this.#loss),
      made("div", { className: "tools" }, close, made("p", { className: "note" }, say.chartNote)),
      this.#details,
    );
  }

  #again() {
    if (this.#latest) this.draw(...this.#latest);
  }

  /**
   * @param {Story} story
   * @param {number} epochs of the run
   * @param {Named[]} others
   */
  draw(story, epochs, others) {
    this.#latest = [story, epochs, others];
    const end = [story, ...others.map((other) => other.story)].reduce(
      (most, one) => Math.max(most, one.points.at(-1)?.epoch ?? 0),
      Math.max(1, epochs),
    );
    const changes = story.changes.map(({ epoch }, n) => ({ x: epoch, name: String(n + 1) }));
    const over = (/** @type {Figure} */ figure) => (/** @type {Named} */ other, /** @type {number} */ n) => ({
      name: short(other.name),
      colour: 3 + (n % 4),
      dash: DASHES[n % DASHES.length],
      points: points(other.story, figure),
    });
    /** @type {Curve[]} */
    const accuracies = [
      { name: say.training, colour: 2, thin: true, points: points(story, "accuracy") },
      {
        name: say.validation,
        colour: 1,
        points: points(story, "validation_accuracy"),
        dots: dots(story),
        end: endOf(story),
      },
      ...others.map((other, n) => ({
        ...over("validation_accuracy")(other, n),
        end: endOf(other.story),
      })),
    ];
    /** @type {Curve[]} */
    const losses = [
      { name: say.training, colour: 2, thin: true, points: points(story, "loss") },
      { name: say.validation, colour: 1, points: points(story, "validation_loss") },
      ...others.map(over("validation_loss")),
    ];
    this.#accuracy.draw(accuracies, changes, end, this.#close.checked);
    this.#loss.draw(losses, changes, end, this.#close.checked);
    if (this.#details.open) this.#table(story, others);
  }

  /**
   * @param {Story} story
   * @param {Named[]} others
   */
  #table(story, others) {
    const rows = byEpoch(story);
    const theirs = others.map((other) => byEpoch(other.story));
    const shown = JSON.stringify([rows, theirs.map((some) => some.at(-1)), others.map((o) => o.name)]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const names = [
      say.epoch,
      say.trainingLoss,
      say.validationLoss,
      say.trainingAccuracy,
      say.validationAccuracy,
      ...others.map(({ name }) => name),
    ];
    put(
      this.#head,
      names.map((name) => made("th", { scope: "col" }, name)),
    );
    const loss = (/** @type {number | null} */ value) =>
      typeof value === "number" ? say.lossValue(value) : say.none;
    const share = (/** @type {number | null | undefined} */ value) =>
      typeof value === "number" ? words.share(value, 2) : say.none;
    put(
      this.#body,
      rows.map((row) =>
        made(
          "tr",
          {},
          made("th", { scope: "row" }, say.epochNumber(row.epoch)),
          [
            loss(row.loss),
            loss(row.validation_loss),
            share(row.accuracy),
            share(row.validation_accuracy),
            ...theirs.map((some) =>
              share(some.find(({ epoch }) => epoch === row.epoch)?.validation_accuracy),
            ),
          ].map((value) => made("td", {}, value)),
        ),
      ),
    );
  }
}

customElements.define("ink-curves", InkCurves);
