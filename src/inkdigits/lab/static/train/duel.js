/* Two networks before the same digits: which is better, is it chance, where do they disagree? */

import { get, images, withQuery } from "../api.js";
import { accuracyChart, compare } from "./curves.js";
import { button, field, made, put, speak } from "../dom.js";
import { complain, gallery, pages } from "../elements.js";
import { isLive, storyOf } from "./follow.js";
import { choice } from "./inputs.js";
import { tabulate } from "../update.js";
import { train as say } from "../words.js";

const DATA = "mnist:validation";
const PAGE = 24; // digits shown at once

/** The duel of two runs that have a model. */
export class InkDuel extends HTMLElement {
  #a = choice([], "", () => {});
  #b = choice([], "", () => {});
  #result = made("div.duel");
  #complaint = made("div");
  #shown = "";
  #turn = 0;

  constructor() {
    super();
    this.append(
      made("h2", say.duel),
      made("p.note", say.duelNote),
      made(
        "div.tools",
        field([say.duelA, say.duelHelp], this.#a),
        field([say.duelB, say.duelHelp], this.#b),
        button(say.compare, () => this.#compare()),
      ),
      this.#complaint,
      this.#result,
    );
  }

  /** @param {RunSummary[]} runs */
  show(runs) {
    const able = runs.filter((run) => run.has_model && !isLive(run.state));
    this.hidden = able.length < 2;
    const names = able.map(say.duelOption);
    const ids = able.map(({ id }) => id);
    const shown = JSON.stringify([ids, names]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const [a, b] = [this.#a.value, this.#b.value];
    for (const select of [this.#a, this.#b]) {
      put(select, able.map((run) => made("option", { value: run.id }, say.duelOption(run))));
    }
    // What was chosen stays, if it is still there and is not the same twice.
    const first = ids.includes(a) ? a : (ids.find((id) => id !== b) ?? "");
    this.#a.value = first;
    this.#b.value = ids.includes(b) && b !== first ? b : (ids.find((id) => id !== first) ?? "");
  }

  async #compare() {
    const [a, b] = [this.#a.value, this.#b.value];
    const turn = ++this.#turn;
    complain(this.#complaint, a === b ? say.duelSame : null);
    if (a === b) return;
    this.#result.setAttribute("aria-busy", "true");
    try {
      const [found, ...stories] = await Promise.all([
        /** @type {Promise<Duel>} */ (get(withQuery("/api/lab/duel", { a, b }))),
        storyOf(a),
        storyOf(b),
      ]);
      if (turn === this.#turn) this.#draw(found, stories);
    } catch (error) {
      complain(this.#complaint, error);
    } finally {
      this.#result.removeAttribute("aria-busy");
    }
  }

  /** @param {Duel} found @param {import("./follow.js").Story[]} stories */
  #draw(found, stories) {
    const { a, b, disagree } = found;
    const said = say.duelSaid(found);
    const rows = [say.duelRow(a, found.only_a), say.duelRow(b, found.only_b)];
    const chart = accuracyChart(say.numbers[3]);
    const pictures = made("div");
    put(
      this.#result,
      made("p", said),
      tabulate(made("table"), say.duelColumns, rows),
      chart,
      made("h3", say.disagree),
      made("p.note", disagree.length ? say.disagreeNote : say.agree),
      pictures,
    );
    compare(chart, [a, b].map(({ name }, n) => ({ name, story: stories[n] })));
    speak(said);
    pages(disagree, PAGE, galleryOf).then(
      (shown) => put(pictures, shown),
      (error) => complain(this.#complaint, error),
    );
  }
}

/** @param {Duel["disagree"]} digits */
async function galleryOf(digits) {
  const glyphs = await images(DATA, digits.map(({ index }) => index));
  return gallery(
    digits.map((digit, n) => ({
      glyph: glyphs[n],
      caption: say.disagreeCaption(digit),
      name: say.disagreeName(digit),
    })),
  );
}

customElements.define("ink-duel", InkDuel);
