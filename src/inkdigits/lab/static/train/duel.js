/* Two networks before the same digits: which is better, could it be chance, where do they disagree? */

import { get, images, withQuery } from "../api.js";
import { InkChart, ofAccuracy } from "./chart.js";
import { button, field, made, put, speak } from "../dom.js";
import { complain, gallery } from "../elements.js";
import { isLive, storyOf } from "./follow.js";
import { words } from "../words.js";

/** @typedef {import("../types").RunSummary} RunSummary */
/** @typedef {import("../types").Duel} Duel */

const say = words.train;
const DATA = "mnist:validation";
const PAGE = 24; // digits shown at once

/** The duel of two runs that have a model. */
export class InkDuel extends HTMLElement {
  #a = made("select");
  #b = made("select");
  #result = made("div", { className: "duel", "aria-live": "off" });
  #complaint = made("div");
  #shown = "";
  #turn = 0;

  connectedCallback() {
    if (this.#a.parentNode) return;
    this.append(
      made("h2", {}, say.duel),
      made("p", { className: "note" }, say.duelNote),
      made(
        "div",
        { className: "tools" },
        field(say.duelA, this.#a, say.duelHelp),
        field(say.duelB, this.#b, say.duelHelp),
        button(say.compare, () => this.#compare(), say.compareHelp),
      ),
      this.#complaint,
      this.#result,
    );
  }

  /** @param {RunSummary[]} runs */
  show(runs) {
    const able = runs.filter((run) => run.has_model && !isLive(run.state));
    this.hidden = able.length < 2;
    const shown = JSON.stringify(able.map(({ id, name, accuracy }) => [id, name, accuracy]));
    if (shown === this.#shown) return;
    this.#shown = shown;
    const [a, b] = [this.#a.value, this.#b.value];
    for (const select of [this.#a, this.#b]) {
      put(
        select,
        able.map(({ id, name, accuracy }) =>
          made("option", { value: id }, say.duelOption(name, accuracy)),
        ),
      );
    }
    // What was chosen stays, if it is still there and is not the same twice.
    const ids = able.map(({ id }) => id);
    const first = ids.includes(a) ? a : (ids.find((id) => id !== b) ?? "");
    this.#a.value = first;
    this.#b.value = ids.includes(b) && b !== first ? b : (ids.find((id) => id !== first) ?? "");
  }

  async #compare() {
    const [a, b] = [this.#a.value, this.#b.value];
    if (a === b) {
      complain(this.#complaint, say.duelSame);
      return;
    }
    const turn = ++this.#turn;
    complain(this.#complaint, null);
    this.#result.setAttribute("aria-busy", "true");
    try {
      const [found, ...stories] = await Promise.all([
        /** @type {Promise<Duel>} */ (get(withQuery("/api/lab/duel", { a, b }))),
        storyOf(a),
        storyOf(b),
      ]);
      if (turn !== this.#turn) return;
      this.#draw(found, stories);
    } catch (error) {
      complain(this.#complaint, error);
    } finally {
      this.#result.removeAttribute("aria-busy");
    }
  }

  /**
   * @param {Duel} found
   * @param {import("./follow.js").Story[]} stories
   */
  #draw(found, stories) {
    const better = found.a.correct >= found.b.correct ? found.a : found.b;
    const said = say.duelSaid(better.name, found.difference, found.p_value);
    const chart = new InkChart();
    const sides = [
      { side: found.a, only: found.only_a },
      { side: found.b, only: found.only_b },
    ];
    const columns = [say.duelModel, say.duelRight, say.duelBetween, say.duelOnly];
    const more = made("div");
    put(
      this.#result,
      made("p", {}, said),
      made(
        "table",
        { className: "figures" },
        made(
          "thead",
          {},
          made(
            "tr",
            {},
            columns.map((name) => made("th", { scope: "col" }, name)),
          ),
        ),
        made(
          "tbody",
          {},
          sides.map(({ side, only }) =>
            made(
              "tr",
              {},
              made("th", { scope: "row" }, side.name),
              made("td", {}, words.share(side.accuracy, 2)),
              made("td", {}, say.duelInterval(side.interval)),
              made("td", {}, words.count(only)),
            ),
          ),
        ),
      ),
      chart,
      made("h3", {}, say.disagree),
      made("p", { className: "note" }, found.disagree.length ? say.disagreeNote : say.agree),
      more,
    );
    chart.setup(ofAccuracy(say.validationAccuracy));
    const end = Math.max(1, ...stories.map((story) => story.points.at(-1)?.epoch ?? 0));
    chart.draw(
      stories.map((story, n) => ({
        name: sides[n].side.name.slice(0, 14),
        colour: n + 1,
        dash: n ? "7 4" : undefined,
        points: story.points.flatMap(({ epoch, validation_accuracy: y }) =>
          typeof y === "number" ? [/** @type {[number, number]} */ ([epoch, y])] : [],
        ),
      })),
      [],
      end,
      true,
    );
    speak(said);
    this.#page(more, found.disagree, 0);
  }

  /**
   * Shows some of the digits on which they disagree, and a button for more.
   *
   * @param {HTMLElement} place
   * @param {Duel["disagree"]} disagree
   * @param {number} from
   */
  async #page(place, disagree, from) {
    const some = disagree.slice(from, from + PAGE);
    try {
      const glyphs = await images(
        DATA,
        some.map(({ index }) => index),
      );
      const shown = gallery(
        some.map(({ label, a, b }, n) => ({
          glyph: glyphs[n],
          caption: say.disagreeCaption(label, a, b),
          name: say.disagreeName(label, a, b),
        })),
      );
      let list = place.querySelector("ul");
      if (list) list.append(...shown.children);
      else put(place, (list = shown));
      place.querySelector("button")?.remove();
      const next = from + PAGE;
      if (next >= disagree.length) return;
      const button_ = button(say.showMore, () => this.#page(place, disagree, next), say.showMoreHelp);
      place.append(button_);
      if (from) button_.focus();
    } catch (error) {
      complain(this.#complaint, error);
    }
  }
}

customElements.define("ink-duel", InkDuel);
