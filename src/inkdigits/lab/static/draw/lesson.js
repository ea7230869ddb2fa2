/* A lesson: a model goes on learning with the user's corrections; then it answers, beside what it
   reached before and after. */

import { get, post } from "../api.js";
import { button, freshId, made, put, speak } from "../dom.js";
import { complain } from "../elements.js";
import { state } from "../state.js";
import { words } from "../words.js";

/** @typedef {import("../types").Score} Score */
/** @typedef {import("../types").LessonScores} Scores */

const ENOUGH = 5; // corrections from which on some are held out
const OVER = ["done", "stopped", "diverged", "interrupted", "failed"];

/**
 * The run of a lesson is kept in the state as "lesson", with whether its model was chosen already,
 * so that a lesson goes on being shown after a reload.
 */
export class InkLesson extends HTMLElement {
  #kept = 0;
  #learn = button(words.draw.learn, () => this.#begin(), words.draw.learnHelp);
  #few = made("p", { className: "note" }, words.draw.learnFew);
  #progress = made("progress", { max: 1, "aria-label": words.draw.learning });
  #left = made("span", { className: "note" });
  #going = made("div", { className: "tools", hidden: true });
  #trouble = made("div");
  #result = made("div");
  /** @type {EventSource | null} */
  #events = null;

  connectedCallback() {
    if (this.firstChild) return;
    this.#going.append(
      this.#progress,
      this.#left,
      button(words.draw.stopLearning, () => this.#stop(), words.draw.stopLearningHelp),
    );
    this.append(this.#learn, this.#few, this.#going, this.#trouble, this.#result);
    const { run } = state.get("lesson", { run: "" });
    if (run) this.#follow(run);
  }

  disconnectedCallback() {
    this.#events?.close();
  }

  /** @param {number} total how many corrections there are to learn from */
  set kept(total) {
    this.#kept = total;
    this.#learn.hidden = total === 0 || this.#events !== null;
    this.#few.hidden = total === 0 || total >= ENOUGH;
  }

  async #begin() {
    if (this.#events) return;
    complain(this.#trouble, null);
    put(this.#result);
    try {
      const model = state.get("model", "reader");
      const { models } = await get("/api/models");
      /** @type {import("../types").ModelInfo | undefined} */
      const chosen = models.find((/** @type {{ name: string }} */ { name }) => name === model);
      const name = words.draw.lessonName(chosen?.title ?? model, this.#kept);
      const { id } = await post("/api/lab/learn", { model, name });
      state.set("lesson", { run: id, chosen: false });
      this.#follow(id);
      speak(words.draw.learning);
    } catch (error) {
      complain(this.#trouble, error);
    }
  }

  async #stop() {
    try {
      await post(`/api/lab/runs/${state.get("lesson", { run: "" }).run}/commands`, { do: "stop" });
    } catch (error) {
      complain(this.#trouble, error);
    }
  }

  /** @param {string} run */
  #follow(run) {
    const events = new EventSource(`/api/lab/runs/${run}/events`);
    this.#events = events;
    this.#running(true);
    const on = (/** @type {string} */ kind, /** @type {(data: any) => void} */ act) =>
      events.addEventListener(kind, (event) => act(JSON.parse(event.data)));
    on("now", ({ step, steps, left, phase }) => {
      if (phase === "learning" && steps) this.#progress.value = step / steps;
      else this.#progress.removeAttribute("value");
      this.#left.textContent =
        phase === "learning" && left > 0 ? words.draw.learningLeft(left) : words.draw.measuring;
    });
    on("state", (told) => {
      if (!OVER.includes(told.state)) return;
      events.close();
      this.#end(run, told);
    });
    events.addEventListener("error", () => {
      if (events.readyState !== EventSource.CLOSED) return; // it asks again by itself
      this.#running(false); // the run was removed
      state.set("lesson", null);
    });
  }

  /** @param {boolean} now */
  #running(now) {
    const focused = [this.#going, this.#learn].some((part) =>
      part.contains(document.activeElement),
    );
    this.#learn.hidden = now || this.#kept === 0;
    this.#going.hidden = !now;
    if (now) {
      this.#progress.removeAttribute("value");
      this.#left.textContent = "";
    } else {
      this.#events = null;
    }
    if (focused) (now ? this.#going.querySelector("button") : this.#learn)?.focus();
  }

  /**
   * @param {string} run
   * @param {{ state: string, message?: string, before?: Scores, after?: Scores }} told
   */
  async #end(run, { state: how, message, before, after }) {
    this.#running(false);
    const { chosen } = state.get("lesson", { chosen: true });
    if (!["done", "stopped"].includes(how) || !before || !after) {
      put(this.#result, made("p", {}, message ?? words.draw.learnEnded));
      return;
    }
    put(this.#result, this.#table(before, after));
    if (chosen) return; // by then the user may have chosen otherwise
    state.set("lesson", { run, chosen: true });
    state.tell("models");
    state.set("model", run);
    const name = await get(`/api/lab/runs/${run}`).then(
      (summary) => summary.name,
      () => run,
    );
    const said = words.draw.learned(name);
    this.#result.prepend(made("p", {}, said));
    speak(said);
  }

  /**
   * @param {Scores} before
   * @param {Scores} after
   */
  #table(before, after) {
    const { draw } = words;
    const id = freshId();
    const cell = (/** @type {Score | null} */ score) =>
      made(
        "td",
        {},
        score ? words.share(score.accuracy, 2) : "–",
        made(
          "span",
          { className: "note" },
          score ? draw.interval(score.interval) : draw.lessonNone,
        ),
      );
    /** @type {(name: string, first: Score | null, then: Score | null) => HTMLElement} */
    const row = (name, first, then) =>
      made("tr", {}, made("th", { scope: "row" }, name), cell(first), cell(then));
    const total = (/** @type {Score | null} */ score) => score?.total ?? 0;
    return made(
      "div",
      {},
      made(
        "table",
        { className: "figures lesson", "aria-describedby": id },
        made("caption", {}, draw.lesson),
        made(
          "thead",
          {},
          made(
            "tr",
            {},
            [draw.lessonSet, draw.lessonBefore, draw.lessonAfter].map((name) =>
              made("th", { scope: "col" }, name),
            ),
          ),
        ),
        made(
          "tbody",
          {},
          row(draw.lessonMnist(total(after.mnist)), before.mnist, after.mnist),
          after.own ? row(draw.lessonOwn(total(after.own)), before.own, after.own) : null,
        ),
      ),
      made("p", { id, className: "note" }, draw.lessonNote),
    );
  }
}

customElements.define("ink-lesson", InkLesson);
