/* A run's accuracy and loss as curves, others laid over them, and the table behind. */

import { InkChart } from "./chart.js";
import { made, put } from "../dom.js";
import { byEpoch } from "./follow.js";
import { tick } from "./inputs.js";
import { tabulate } from "../update.js";
import { words } from "../words.js";


const say = words.train;
const DASHES = ["7 4", "2 4", "10 3 2 3", "4 2"];
const BEYOND = 1e6; // losses of what has burst: there is no drawing them
const LONGEST = 14; // letters of a name in a chart
const GOOD = 0.9; // an accuracy from which on curves are close to the top, and to each other

/** @param {Story} story */
const lastEpoch = (story) => story.points.at(-1)?.epoch ?? 0;

/**
 * A figure of a run over its epochs.
 *
 * @param {Run} run
 * @param {Figure} figure
 * @param {Partial<Curve>} look
 * @returns {Curve}
 */
function curve({ name, story }, figure, look) {
  /** @type {[number, number][]} */
  const points = [];
  for (const point of story.points) {
    const value = point[figure];
    if (typeof value === "number" && value < BEYOND) points.push([point.epoch, value]);
  }
  const short = name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name;
  return { name: short, colour: 1, points, ...look };
}

/**
 * The accuracy over the samples of validation digits, and over all of them after each epoch.
 *
 * @param {Run} run
 * @param {Partial<Curve>} look
 * @param {boolean} dotted whether the epochs are marked
 */
function ofValidation(run, look, dotted) {
  const { epochs, points } = run.story;
  /** @type {[number, number][]} */
  const dots = epochs.flatMap(({ epoch, accuracy }) => (accuracy ? [[epoch, accuracy]] : []));
  // A run that has just finished an epoch stands at that epoch's dot.
  const end = epochs.at(-1)?.step === points.at(-1)?.step ? dots.at(-1) : undefined;
  return curve(run, "validation_accuracy", { ...look, end, dots: dotted ? dots : [] });
}

/**
 * How each of some runs that are compared looks.
 *
 * @param {number} n
 */
const apart = (n) => ({ colour: 3 + (n % 4), dash: DASHES[n % DASHES.length] });

/**
 * A chart of accuracies.
 *
 * @param {string} title
 */
export const accuracyChart = (title) =>
  new InkChart(title, 1, (y, step = 0.001) =>
    words.share(y, step < 0.0099 ? (step < 0.00099 ? 2 : 1) : 0),
  );

/**
 * Draws the validation accuracies of some runs, close up.
 *
 * @param {InkChart} chart
 * @param {Run[]} runs
 */
export function compare(chart, runs) {
  const curves = runs.map((run, n) => ofValidation(run, n ? apart(n - 1) : {}, false));
  chart.draw(curves, [], Math.max(1, ...runs.map(({ story }) => lastEpoch(story))), true);
}

/** Two charts of one run or more, side by side where there is room. */
export class InkCurves extends HTMLElement {
  #accuracy = accuracyChart(say.accuracyChart);
  #loss = new InkChart(say.lossChart, Infinity, (y, step) =>
    step === undefined ? say.lossOf(y) : say.tick(y),
  );
  #close = tick(say.close, (close) => {
    this.#chosen = close;
    this.#again();
  });
  /** @type {boolean | null} */
  #chosen = null; // whether close up; until somebody chooses, it is as the accuracy says
  #table = made("table");
  #details = made("details", { ontoggle: () => this.#again() });
  /** @type {[Story, number, Run[]] | null} */
  #latest = null;

  constructor() {
    super();
    this.#table.append(made("caption.aloud", say.table));
    put(this.#details, made("summary", say.tableSummary), this.#table);
    const note = made("p.note", say.chartNote);
    this.append(
      made("div.charts", this.#accuracy, this.#loss),
      made("div.tools", this.#close.label, note),
      this.#details,
    );
  }

  #again() {
    if (this.#latest) this.draw(...this.#latest);
  }

  /** @param {Story} story @param {number} epochs of the run @param {Run[]} others */
  draw(story, epochs, others) {
    this.#latest = [story, epochs, others];
    const end = Math.max(1, epochs, lastEpoch(story), ...others.map((one) => lastEpoch(one.story)));
    const changes = story.changes.map(({ epoch }, n) => ({ x: epoch, name: String(n + 1) }));
    const training = { name: say.training, story };
    const validation = { name: say.validation, story };
    const thin = { colour: 2, thin: true };
    const accuracies = [
      curve(training, "accuracy", thin),
      ofValidation(validation, {}, true),
      ...others.map((other, n) => ofValidation(other, apart(n), false)),
    ];
    const losses = [
      curve(training, "loss", thin),
      curve(validation, "validation_loss", {}),
      ...others.map((other, n) => curve(other, "validation_loss", apart(n))),
    ];
    const close = this.#chosen ?? accuracies[1].points.some(([, accuracy]) => accuracy > GOOD);
    this.#close.box.checked = close;
    this.#accuracy.draw(accuracies, changes, end, close);
    this.#loss.draw(losses, changes, end, close);
    if (this.#details.open) this.#tabulate(story, others);
  }

  /** @param {Story} story @param {Run[]} others */
  #tabulate(story, others) {
    const columns = [...say.columns, ...others.map(({ name }) => name)];
    const theirs = others.map((other) => byEpoch(other.story));
    const rows = byEpoch(story).map(({ epoch, ...row }) => [
      say.hundredths(epoch),
      say.lossOf(row.loss),
      say.lossOf(row.validation_loss),
      say.accuracyOf(row.accuracy, 2),
      say.accuracyOf(row.validation_accuracy, 2),
      ...theirs.map((some) =>
        say.accuracyOf(some.find((one) => one.epoch === epoch)?.validation_accuracy, 2),
      ),
    ]);
    tabulate(this.#table, columns, rows);
  }
}

customElements.define("ink-curves", InkCurves);
