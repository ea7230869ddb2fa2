/* A lesson: a model goes on learning with the user's corrections; then it answers, beside what it
   reached before and after. */

import { ApiError, get, post } from "../api.js";
import { button, made, put, speak } from "../dom.js";
import { complain } from "../elements.js";
import { state } from "../state.js";
import { follow, isLive, Story } from "../train/follow.js";
import { words } from "../words.js";

/**
 * What to teach where a model is chosen: not one that was taught already, which may have learned
 * what is held out now, but the one that it came from.
 *
 * @param {string} model
 * @returns {Promise<string>}
 */
async function startOf(model) {
  if (model === "reader") return model;
  const { kind, settings } = await get(`/api/lab/runs/${model}`);
  return kind === "lesson" ? startOf(settings.model) : model;
}

/**
 * The run of a lesson is kept in the state as "lesson", with whether its model was chosen already,
 * so that a lesson goes on being shown after a reload.
 */
export class InkLesson extends HTMLElement {
  #kept = 0;
  #run = "";
  #learn = button(words.draw.learn, () => this.#begin(), words.draw.learnHelp);
  #progress = made("progress", { max: 1, "aria-label": words.draw.learn });
  #left = made("span", { className: "note" });
  #stop = button(words.draw.stop, () => this.#end(), words.draw.stopHelp);
  #going = made("div", { className: "tools" }, this.#progress, this.#left, this.#stop);
  #trouble = made("div");
  #result = made("div");

  constructor() {
    super();
    this.append(this.#learn, this.#going, this.#trouble, this.#result);
    this.#going.hidden = true;
    const { run } = state.get("lesson", { run: "" });
    if (run) this.#show(run);
  }

  /** @param {number} total how many corrections there are to learn from */
  set kept(total) {
    this.#kept = total;
    this.#offer(!this.#going.hidden);
  }

  /** @param {boolean} live whether there is a lesson to stop, or one could begin */
  #offer(live) {
    const stopped = !live && document.activeElement === this.#stop;
    this.#learn.hidden = live || !this.#kept;
    this.#going.hidden = !live;
    if (stopped) this.#learn.focus();
  }

  async #begin() {
    complain(this.#trouble, null);
    this.#learn.disabled = true; // once is enough
    try {
      const model = await startOf(state.get("model", "reader"));
      const { title } = await get(`/api/models/${model}`);
      const name = words.draw.lessonName(title, this.#kept);
      const { id } = await post("/api/lab/learn", { model, name });
      state.set("lesson", { run: id, chosen: false });
      put(this.#result, made("p", {}, words.draw.learning(title)));
      speak(words.draw.learning(title));
      await this.#show(id);
    } catch (error) {
      complain(this.#trouble, error);
    }
    this.#learn.disabled = false;
    (this.#learn.hidden ? this.#stop : this.#learn).focus();
  }

  async #end() {
    try {
      await post(`/api/lab/runs/${this.#run}/commands`, { do: "stop" });
    } catch (error) {
      complain(this.#trouble, error);
    }
  }

  /**
   * Shows how a lesson goes, until it has ended; and what came of it.
   *
   * @param {string} run
   */
  async #show(run) {
    this.#run = run;
    try {
      /** @type {RunSummary} */
      const lesson = await get(`/api/lab/runs/${run}`);
      const live = isLive(lesson.state);
      this.#offer(live);
      if (live) this.#follow(run);
      else this.#ended(lesson);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) state.set("lesson", null); // removed
      else complain(this.#trouble, error);
    }
  }

  /** @param {string} run */
  #follow(run) {
    const leave = follow(run, new Story(), (type, { state: how, phase, step, steps, left }) => {
      if (type === "now") {
        this.#progress.value = steps && step / steps;
        this.#left.textContent =
          phase === "learning" && left ? words.draw.left(left) : words.draw.measuring;
      } else if (type === "state" && !isLive(how)) {
        leave();
        this.#show(run);
      }
    });
  }

  /** @param {RunSummary} lesson */
  #ended({ id, name, before, after, message, has_model: learned }) {
    if (!learned || !before || !after) {
      put(this.#result, made("p", {}, message ?? words.draw.learnEnded));
      return;
    }
    put(this.#result, tableOf(before, after), made("p", { className: "note" }, words.draw.interval));
    if (state.get("lesson", { chosen: true }).chosen) return; // since then another may have been
    state.set("lesson", { run: id, chosen: true });
    state.tell("models");
    state.set("model", id);
    this.#result.prepend(made("p", {}, words.draw.learned(name)));
    speak(words.draw.learned(name));
  }
}

/** @param {Scores} before @param {Scores} after */
function tableOf(before, after) {
  const { draw, share } = words;
  const head = (/** @type {string} */ name, scope = "col") => made("th", { scope }, name);
  const cell = (/** @type {Score | null} */ score) =>
    score &&
    made(
      "td",
      {},
      share(score.accuracy, 2),
      made("p", { className: "note" }, draw.range(score.interval)),
    );
  const row = (/** @type {string} */ name, /** @type {"mnist" | "own"} */ exam) =>
    after[exam] && made("tr", {}, head(name, "row"), cell(before[exam]), cell(after[exam]));
  return made(
    "table",
    { className: "figures" },
    made("caption", {}, draw.lesson),
    made("thead", {}, made("tr", {}, draw.columns.map((name) => head(name)))),
    made("tbody", {}, row(draw.ofMnist, "mnist"), row(draw.ofOwn, "own")),
  );
}

customElements.define("ink-lesson", InkLesson);
